"""What the LX6's kernels are made of: lines that stand for two roundings, strips, and when a layer goes elsewhere."""

from __future__ import annotations

import functools
import shutil
from pathlib import Path

import aot_on_core
import aot_on_host
import judges
import numpy as np
import pytest
from convolutions_by_hand import convolution
from form_cases import coarser, form_case
from layer_cases import LayerCase, layer_case
from placements import scattered

from edgekit import targets
from edgekit.engine import forms
from edgekit.engine.cores.mac16 import _line, _narrow
from edgekit.engine.cores.mac16._strip import by_words, pairs, vector_bytes
from edgekit.engine.forms.blocks import _chosen_mac16
from edgekit.engine.forms.blocks import conv_2d_mac16 as quads_mac16
from edgekit.engine.ops._fixed_point import requantize_array
from edgekit.engine.options import EngineOptions, Optimize
from edgekit.engine.program import Program, program
from edgekit.tflite import graph

FEATURES = targets.load("esp32").features
KERNELS = {
    "conv_2d_dots_s8.mac16": Optimize.SPEED,
    "conv_2d_narrow_s8.mac16": Optimize.BALANCED,
    "depthwise_conv_2d_lanes_s8.mac16": Optimize.SPEED,
    "depthwise_conv_2d_narrow_s8.mac16": Optimize.BALANCED,
    "fully_connected_dots_s8.mac16": Optimize.SPEED,
    "fully_connected_narrow_s8.mac16": Optimize.BALANCED,
}
LAYERS = 16
RELU = (-128, 127)


def sums_round(firsts: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Sums where activations step, their neighbors, those round 0 and some beyond all clamps."""
    anywhere = rng.integers(-(2**29), 2**29, 1000)
    return np.unique(np.concatenate([firsts - 1, firsts, firsts + 1, np.arange(-200, 200), anywhere]))


@pytest.mark.parametrize("shift", range(1, 23))
def test_a_line_equals_two_roundings(shift: int) -> None:
    rng = np.random.default_rng(shift)
    for multiplier in (1 << 30, (1 << 31) - 1, *map(int, rng.integers(1 << 30, 1 << 31, 40))):
        for zero_point, clamps in ((-128, RELU), (int(rng.integers(-128, 128)), RELU), (-100, (-100, 60))):
            firsts = _line.first_sums(multiplier, shift, zero_point, clamps)
            sums = sums_round(firsts, rng)
            expected = np.clip(requantize_array(sums, multiplier, -shift) + zero_point, *clamps)
            steps = clamps[0] + np.searchsorted(firsts, sums, side="right")
            np.testing.assert_array_equal(steps, expected)
            found = (find(multiplier, shift, zero_point, clamps) for find in (_line.find, _line.find_compact))
            for line in (one for one in found if one is not None):
                held = np.clip(sums - line.middle, *line.reach)
                parts = held * line.fraction
                assert np.abs(parts).max() < 2**31 and abs(line.offset) < 2**31
                value = held * line.whole + (parts >> line.bits) + line.offset
                assert np.abs(value).max() <= 2**31
                np.testing.assert_array_equal(value >> 24, expected)


def test_activations_behind_a_relu_have_a_line() -> None:
    multipliers = np.random.default_rng(0).integers(1 << 30, 1 << 31, 200)
    found = [_line.find(int(one), shift, -128, RELU) is not None for one in multipliers for shift in range(2, 11)]
    assert np.mean(found) > 0.99


def test_a_compact_line_is_found_wherever_one_is() -> None:
    multipliers = np.random.default_rng(1).integers(1 << 30, 1 << 31, 40)
    for clamps in (RELU, (-128, 20)):
        made = [(int(one), shift, -128, clamps) for one in multipliers for shift in range(1, 15)]
        lines = [_line.find_compact(*one) for one in made if _line.find(*one) is not None]
        found = [line for line in lines if line is not None]
        assert len(found) > 0.98 * len(lines)
        assert all(0 < word < 1 << 32 for line in found for word in _line.words(line, clamps))


def test_nothing_to_scale_has_no_line() -> None:
    assert _line.find(0, 1, 0, (-128, 127)) is None
    assert _line.find(1 << 30, 1, 0, (5, 5)) is None


def test_weights_fill_quads_in_the_order_of_words() -> None:
    rows = np.arange(1, 9, dtype=np.int8).reshape(1, 8)
    assert by_words(rows).tolist() == [[1, 3, 2, 4, 5, 7, 6, 8]]
    words = pairs(np.array([[1, -2, 3]], np.int8)).values
    assert words.view("<i2").tolist() == [1, -2, 3, 0, 0, 0]
    assert vector_bytes(3) == words.nbytes


def test_narrow_weights_fill_words_in_the_order_in_which_they_are_widened() -> None:
    rows = np.arange(1, 11, dtype=np.int8).reshape(2, 5)
    assert _narrow.fours(rows).tolist() == [[1, 3, 2, 4, 5, 0, 0, 0], [6, 8, 7, 9, 10, 0, 0, 0]]
    words = _narrow.words(rows).values
    assert words.view(np.int8).tolist() == [*_narrow.fours(rows).reshape(-1).tolist(), 0, 0, 0, 0]


def test_fours_that_are_left_out_are_found_again() -> None:
    rng = np.random.default_rng(5)
    for quads in (1, 7, 160, 255):
        kept = rng.random((5, quads, 1)) < rng.uniform(0, 0.5)
        kept[0] = False
        rows = (rng.integers(-128, 128, (5, quads, 4)) * kept).astype(np.int8).reshape(5, -1)
        codes, values = quads_mac16.encoded(rows)
        found, stream, left = np.zeros_like(rows), list(codes), values.reshape(-1, 4)
        for row in found:
            count, at = int(stream.pop(0)), 0
            for four, gap in zip(left[:count], stream[:count], strict=True):
                at += 4 * int(gap)
                row[at : at + 4] = four
                at += 4
            assert stream[count] == 0
            left, stream = left[count:], stream[count + 1 :]
        assert not stream and len(left) == 0
        np.testing.assert_array_equal(found, rows)


@pytest.mark.parametrize(("way", "sharing"), (("2:4", 4), ("2:4x8", 8)))
def test_two_of_four_depths_are_found_again(way: str, sharing: int) -> None:
    rng = np.random.default_rng(6)
    rows = coarser(rng.integers(1, 128, (24, 37), dtype=np.int8), way, rng)
    found = _chosen_mac16.chosen(rows)
    assert found is not None and (found.sharing, found.fours) == (sharing, 5)
    again = np.zeros((24, 40), np.int8)
    for channel, group in np.ndindex(24, 10):
        first, second = divmod(int(found.choices[channel // sharing, group]), 4)
        again[channel, [4 * group + first, 4 * group + second]] = found.rows[channel, 2 * group : 2 * group + 2]
    np.testing.assert_array_equal(again[:, :37], rows)
    rows[5, :3] = 1
    assert _chosen_mac16.chosen(rows) is None
    assert _chosen_mac16.chosen(rows[8:22]) is None


@functools.cache
def programs() -> dict[str, list[tuple[LayerCase, Program]]]:
    """Layers that come to each kernel, their tensors anywhere, in blocks of rows."""
    found: dict[str, list[tuple[LayerCase, Program]]] = {kernel: [] for kernel in KERNELS}
    for seed in range(4000):
        case = layer_case(seed)
        if not case.name.startswith(("conv_2d", "depthwise_conv_2d", "fully_connected")):
            continue
        parsed = graph.parse(case.flatbuffer)
        for aim in sorted(set(KERNELS.values())):
            made = program(parsed, EngineOptions(FEATURES, aim, form="dense"))
            those = found.get(made.lowered[0].kernel, [])
            if len(those) < LAYERS and KERNELS.get(made.lowered[0].kernel) is aim:
                those.append((case, scattered(made, np.random.default_rng(seed))))
        if all(len(those) == LAYERS for those in found.values()):
            return found
    raise AssertionError(f"too few layers: { {kernel: len(those) for kernel, those in found.items()} }")


@pytest.mark.parametrize("kernel", KERNELS)
def test_kernel_equals_tflm(kernel: str, tmp_path: Path) -> None:
    pytest.importorskip("tflite_micro", reason="TFLM's wheel is the judge")
    cases, made = zip(*programs()[kernel], strict=True)
    samples = [case.samples for case in cases]
    truths = [judges.tflm(one.graph, case.samples) for one, case in zip(made, cases, strict=True)]
    results = aot_on_host.run(made, samples, tmp_path)
    assert [case.name for case, got, truth in zip(cases, results, truths, strict=True) if got != truth] == []
    if shutil.which("qemu-system-xtensa") is None or shutil.which("xtensa-lx106-elf-gcc") is None:
        pytest.skip("no LX6 here: apt-get install qemu-system-misc gcc-xtensa-lx106")
    assert aot_on_core.differing("esp32", made, samples, truths, tmp_path) == []


def test_weights_stored_small_equal_tflm_on_the_core(tmp_path: Path) -> None:
    pytest.importorskip("tflite_micro", reason="TFLM's wheel is the judge")
    if shutil.which("qemu-system-xtensa") is None or shutil.which("xtensa-lx106-elf-gcc") is None:
        pytest.skip("no LX6 here: apt-get install qemu-system-misc gcc-xtensa-lx106")
    taken: dict[str, list[tuple[LayerCase, Program]]] = {}
    for seed in range(400, 440):
        case = form_case(seed)
        parsed = graph.parse(case.flatbuffer)
        for made in forms.candidates(parsed, parsed.ops[0], EngineOptions(FEATURES)):
            those = taken.setdefault(made.kernel, [])
            if made.kernel.endswith("mac16") and len(those) < 2:
                those.append((case, program(parsed, EngineOptions(FEATURES, form=made.form))))
    assert {"conv_2d_quads_s8.mac16", "conv_2d_narrow_int4_s8.mac16", "fully_connected_narrow_prefix_s8.mac16"} <= set(
        taken
    )
    cases, made_of_them = zip(*(one for those in taken.values() for one in those), strict=True)
    samples = [case.samples for case in cases]
    truths = [judges.tflm(one.graph, case.samples) for one, case in zip(made_of_them, cases, strict=True)]
    assert aot_on_core.differing("esp32", made_of_them, samples, truths, tmp_path) == []


def test_two_of_four_depths_equal_tflm(tmp_path: Path) -> None:
    """Depths and windows at every remainder, several rows at once, few pixels at once."""
    pytest.importorskip("tflite_micro", reason="TFLM's wheel is the judge")
    layers = [
        convolution("CONV_2D", image, kernel, channels, stride, padding, way)
        for image, kernel, channels, stride, padding, way in (
            ((5, 3, 8), (1, 1), 4, 1, "SAME", "2:4"),
            ((5, 7, 12), (1, 1), 16, 2, "SAME", "2:4x8"),
            ((3, 40, 5), (1, 1), 8, 1, "SAME", "2:4"),
            ((2, 3, 26), (1, 1), 12, 1, "SAME", "2:4"),
            ((6, 5, 4), (3, 3), 8, 1, "SAME", "2:4"),
            ((7, 6, 12), (3, 2), 4, 2, "VALID", "2:4"),
            ((4, 9, 128), (3, 3), 8, 1, "SAME", "2:4x8"),
        )
    ]
    rng = np.random.default_rng(8)
    graphs = [graph.parse(layer) for layer in layers]
    options = [EngineOptions(FEATURES, aim, form="2:4") for aim in (Optimize.SPEED, Optimize.BALANCED)]
    plain = [program(one, option) for option in options for one in graphs]
    made = [scattered(one, rng) if place % 2 else one for place, one in enumerate(plain)]
    assert {one.lowered[0].kernel for one in made} == {
        "conv_2d_chosen_wide_s8.mac16",
        "conv_2d_chosen_narrow_s8.mac16",
    }
    assert all(one.lowered[0].form == "2:4" for one in made)
    samples = [
        tuple(rng.integers(-128, 128, one.tensors[one.inputs[0]].elements, dtype=np.int8).tobytes() for _ in range(2))
        for one in graphs
    ]
    truths = [judges.tflm(one, sample) for one, sample in zip(graphs, samples, strict=True)]
    assert [tuple(outputs) for outputs in aot_on_host.run(made, samples * 2, tmp_path)] == truths * 2
    if shutil.which("qemu-system-xtensa") is None or shutil.which("xtensa-lx106-elf-gcc") is None:
        pytest.skip("no LX6 here: apt-get install qemu-system-misc gcc-xtensa-lx106")
    assert aot_on_core.differing("esp32", made, samples * 2, truths * 2, tmp_path) == []
