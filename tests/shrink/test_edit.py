"""A model as it would be after an edit: in shapes and in its memory plan what a builder of that model gets."""

from __future__ import annotations

import numpy as np
import pytest
from nets import Net, ints, packed

from edgekit.engine.program import program
from edgekit.tflite import edit
from edgekit.tflite.graph import Graph
from edgekit.tflite.macs import macs


def _net(*, size: int = 16, channels: int = 8, stride: int = 1, flat: bool = False) -> Graph:
    """A convolution, a depthwise one with padding of its own around it, a convolution, a head."""
    random = np.random.default_rng(2)
    net = Net((1, size, size, 3))
    net.conv(ints(random, channels, 3, 3, 3), ints(random, channels), stride=stride)
    net.depthwise(ints(random, 1, 3, 3, channels), ints(random, channels), stride=2)
    net.conv(ints(random, 6, 1, 1, channels), ints(random, 6))
    if flat:
        elements = int(np.prod(net.shape))
        net.reshape(1, elements)
    else:
        net.average()
        net.reshape(1, 6)
    net.dense(ints(random, 4, net.shape[1]), ints(random, 4))
    return packed(net.tree())


def _assert_same_plan(edited: Graph | None, built: Graph) -> None:
    assert edited is not None
    assert [tensor.shape for tensor in edited.tensors] == [tensor.shape for tensor in built.tensors]
    assert macs(edited) == macs(built)
    assert program(edited).memory.arena_bytes == program(built).memory.arena_bytes


def test_half_the_channels_is_the_narrower_net() -> None:
    made = _net()
    first = made.ops[0].outputs[0]
    _assert_same_plan(edit.with_half_the_channels(made, first), _net(channels=4))


def test_channels_of_the_ends_stay() -> None:
    made = _net()
    assert edit.with_half_the_channels(made, made.inputs[0]) is None
    assert edit.with_half_the_channels(made, made.outputs[0]) is None


@pytest.mark.parametrize("flat", [False, True])
def test_half_the_frame_is_the_net_of_a_smaller_frame(flat: bool) -> None:
    edited = edit.with_half_the_frame(_net(flat=flat))
    assert edited is not None
    built = _net(size=8, flat=flat)
    assert macs(edited) == macs(built)
    assert program(edited).memory.arena_bytes == program(built).memory.arena_bytes


@pytest.mark.parametrize("flat", [False, True])
def test_a_first_stride_is_the_net_with_it(flat: bool) -> None:
    edited, built = edit.with_a_first_stride_of_two(_net(flat=flat)), _net(stride=2, flat=flat)
    assert edited is not None
    assert macs(edited) == macs(built)
    assert program(edited).memory.arena_bytes == program(built).memory.arena_bytes
    assert edit.with_a_first_stride_of_two(built) is None


def test_what_cannot_follow_is_left_alone() -> None:
    random = np.random.default_rng(3)
    net = Net((1, 12))
    net.dense(ints(random, 4, 12), ints(random, 4))
    made = packed(net.tree())
    assert edit.with_half_the_frame(made) is None and edit.with_a_first_stride_of_two(made) is None
    small = Net((1, 3, 3, 2))
    small.conv(ints(random, 4, 3, 3, 2), ints(random, 4), same=False)
    assert edit.with_half_the_frame(packed(small.tree())) is None
