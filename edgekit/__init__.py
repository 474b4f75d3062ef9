"""EdgeKit brings Keras models to microcontrollers: compress, convert, prove, build, run, measure.

The public API is loaded on first use, so that importing EdgeKit costs milliseconds and never loads TensorFlow.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from edgekit.bench import BenchOptions as BenchOptions
    from edgekit.bench import bench as bench
    from edgekit.build import BuildOptions as BuildOptions
    from edgekit.build import build as build
    from edgekit.compress import Recipe as Recipe
    from edgekit.compress import compress as compress
    from edgekit.conversion import convert as convert
    from edgekit.data import Data as Data
    from edgekit.errors import EdgeKitError as EdgeKitError
    from edgekit.harness.measure import Measurement as Measurement
    from edgekit.targets import Target as Target
    from edgekit.tflite.graph import Graph as Graph

__version__ = "0.1.0"

_HOME = {
    "BenchOptions": "edgekit.bench",
    "bench": "edgekit.bench",
    "build": "edgekit.build",
    "BuildOptions": "edgekit.build",
    "compress": "edgekit.compress",
    "convert": "edgekit.conversion",
    "Data": "edgekit.data",
    "EdgeKitError": "edgekit.errors",
    "Graph": "edgekit.tflite.graph",
    "Measurement": "edgekit.harness.measure",
    "Recipe": "edgekit.compress",
    "Target": "edgekit.targets",
}

__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'edgekit' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOME[name]), name)


class _Package(ModuleType):
    """Keeps `edgekit.build` the function: importing the module of that name would put the module in its place."""

    def __setattr__(self, name: str, value: Any) -> None:
        if not (name in _HOME and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
