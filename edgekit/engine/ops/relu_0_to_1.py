"""RELU_0_TO_1. Twin: firmware/engine/table_s8.h."""

from __future__ import annotations

from edgekit.engine.lowered import Lowered
from edgekit.engine.ops import _clip
from edgekit.tflite.graph import Graph, Op

CHECKS = _clip.CHECKS


def lower(graph: Graph, op: Op) -> Lowered:
    """Lower one clamp to [0, 1]."""
    return _clip.lower_clip(graph, op, 0.0, 1.0)
