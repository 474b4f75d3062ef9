"""Each layer's weights take the form that pays for what was asked."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from edgekit.engine import costs, forms
from edgekit.engine.emit_aot import weights_bytes
from edgekit.engine.options import FORMS, EngineOptions, Optimize
from edgekit.engine.program import Program, program
from edgekit.tflite import graph

MODELS = Path(__file__).resolve().parents[2] / "models"
SPARSE = graph.read(MODELS / "keyword-sparse" / "model.tflite")
DSP = ("dsp",)


def made(optimize: Optimize, form: str | None = None) -> Program:
    return program(SPARSE, EngineOptions(DSP, optimize, form=form))


def instructions(one: Program) -> int:
    return sum(choice.stored.instructions or 0 for choice in one.choices)


@pytest.mark.parametrize("optimize", list(Optimize))
def test_blocks_of_zeros_are_not_stored(optimize: Optimize) -> None:
    dense, chosen = made(optimize, "dense"), made(optimize)
    assert {choice.stored.form for choice in dense.choices} == {"dense"}
    assert weights_bytes(chosen) < 0.5 * weights_bytes(dense)
    assert instructions(chosen) < 0.7 * instructions(dense)
    if optimize is not Optimize.FLASH:
        assert chosen.memory.arena_bytes <= dense.memory.arena_bytes


def test_flash_takes_no_more_bytes_than_any_plan() -> None:
    def flash(one: Program) -> int:
        known = costs.kernels(DSP)
        kernels = {choice.stored.lowered.kernel for choice in one.choices}
        return weights_bytes(one) + sum(known[kernel].code_bytes for kernel in kernels)

    sizes = {(aim, form): flash(made(aim, form)) for aim in Optimize for form in (None, "dense", "blocks")}
    assert min(sizes.values()) == sizes[Optimize.FLASH, None]


def test_weights_without_zeros_stay_dense_unless_flash_counts() -> None:
    full = graph.read(MODELS / "keyword" / "model.tflite")
    for optimize in (Optimize.SPEED, Optimize.BALANCED, Optimize.RAM):
        assert {each.stored.form for each in program(full, EngineOptions(DSP, optimize)).choices} == {"dense"}


def test_a_form_without_a_kernel_leaves_the_layer_dense_and_says_so() -> None:
    (first, second, *_) = made(Optimize.BALANCED, "blocks").choices
    assert (first.stored.form, first.why) == ("blocks", "asked for")
    assert second.stored.form == "dense" and second.why.startswith("blocks was asked for: no kernel")


def test_weights_of_four_bits_are_widened_for_speed_alone() -> None:
    narrow = graph.read(MODELS / "keyword-4bit" / "model.tflite")
    assert {tensor.dtype for tensor in narrow.tensors if tensor.data is not None} >= {"int4"}
    options = EngineOptions(DSP)
    for op in narrow.ops:
        names = {one.form for one in forms.candidates(narrow, op, options)} if op.kind in costs.KINDS else set()
        if "int4" in names:
            taken = [each for each in program(narrow, options).choices if each.stored.lowered.op == op.index]
            assert [each.stored.bytes <= each.dense.bytes and each.dense.form == "int4" for each in taken] == [True]
            return
    pytest.fail("no layer of 4 bits has a kernel that reads them so")


def test_every_form_has_a_name_that_users_may_give() -> None:
    options = EngineOptions(DSP, Optimize.FLASH)
    found = {one.form for op in SPARSE.ops if op.kind in costs.KINDS for one in forms.candidates(SPARSE, op, options)}
    assert found and found <= set(FORMS)


def test_a_core_that_was_not_measured_stays_dense_unless_flash_counts() -> None:
    options = EngineOptions(("rv32", "unknown"))
    assert costs.kernels(options.features) == {}
    assert {each.stored.form for each in program(SPARSE, options).choices} == {"dense"}
    flash = dataclasses.replace(options, optimize=Optimize.FLASH)
    assert {each.stored.form for each in program(SPARSE, flash).choices} != {"dense"}
