"""What each layer of a built model costs: the firmware again, with the core's counter read around every layer.

The emulator makes each instruction take longer than a tick of the port's timer, so a layer is known to the
instruction; what the reading itself takes is measured and subtracted.
"""

from __future__ import annotations

import dataclasses
import re
import struct
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from elftools.elf.elffile import ELFFile

from edgekit import toolchains
from edgekit.build_folder import Built
from edgekit.build_plan import BINDING
from edgekit.deploy import emulate_qemu
from edgekit.engine.types import Sources
from edgekit.errors import UntrustworthyError, UsageError
from edgekit.harness.measure import collect
from edgekit.progress import Progress, silent
from edgekit.report.types import LayerCost
from edgekit.targets import Target
from edgekit.tflite import graph, macs
from edgekit.tflite.decode.expand import folded

# 2^7 virtual nanoseconds an instruction: more than a tick of any port, which has at most 125.
_SHIFT = 7
_PARAMETERS = r"\(uint8_t \*arena, int32_t row_begin, int32_t row_end\)"
_FUNCTION = re.compile(rf"^static void (layer_(\d+)\w*){_PARAMETERS} {{$", re.MULTILINE)
_DESCRIPTION = re.compile(r"^/\* (\d+): (.*) \*/$", re.MULTILINE)
_COUNTER = struct.Struct("<QQ")

_HEADER = """\
#ifndef EK_PROFILE_H
#define EK_PROFILE_H

#include <stdint.h>

/* Ticks in each layer, and its calls; behind them the ticks between two readings. */
extern uint64_t ek_profile[{count} + 1][2];

void ek_profile_enter(void);
void ek_profile_leave(uint32_t layer);

#endif
"""
# Functions that are called, so that a layer's code keeps its registers.
_COUNTERS = """#include "ek_profile.h"
#include "port.h"

uint64_t ek_profile[{count} + 1][2];
static uint64_t entered;

__attribute__((noinline)) void ek_profile_enter(void) {{
  entered = ek_port_ticks();
}}

__attribute__((noinline)) void ek_profile_leave(uint32_t layer) {{
  ek_profile[layer][0] += ek_port_ticks() - entered;
  ek_profile[layer][1] += 1;
}}

"""
_WRAPPER = """\
static void {name}_alone(uint8_t *arena, int32_t row_begin, int32_t row_end);

static void {name}(uint8_t *arena, int32_t row_begin, int32_t row_end) {{
  ek_profile_enter();
  {name}_alone(arena, row_begin, row_end);
  ek_profile_leave({index});
}}

static void {name}_alone(uint8_t *arena, int32_t row_begin, int32_t row_end) {{"""
# The counters are one more output of the model.
_BINDING = """\
#include "ek_profile.h"

static inline int ek_model_init(uint8_t *arena) {{
  ek_profile_enter();
  ek_profile_leave({count});
  return ek_model_init_alone(arena);
}}

static inline ek_span ek_model_output(uint8_t *arena, uint32_t index) {{
  const ek_span counters = {{(uint8_t *)ek_profile, sizeof ek_profile}};
  return index < {outputs} ? ek_model_output_alone(arena, index) : counters;
}}

#endif
"""


@dataclass(frozen=True, slots=True)
class Counted:
    """What the core counted of one function.

    Attributes:
        instructions: of all its calls.
        calls: how often it ran in one inference.
    """

    instructions: int
    calls: int


def profile(built: Built, progress: Progress = silent) -> tuple[LayerCost, ...]:
    """Count the instructions of each layer in one inference.

    Args:
        built: a model that engine aot runs, for a target whose emulator counts instructions.
        progress: told what happens.

    Returns:
        A cost for each operator that runs, in the order of the graph.

    Raises:
        UsageError: another engine, or a target without such an emulator.
        UntrustworthyError: the outputs are not the judge's.
        ToolchainError: the compiler or the emulator is missing or failed.
    """
    target = built.firmware.target
    if built.firmware.engine != "aot":
        raise UsageError("--per-layer needs engine aot", hint="build with --engine aot")
    if target.emulator is None or not target.emulator.tick_ns:
        raise UsageError(
            f"--per-layer needs an emulator that counts instructions, {target.name} has none",
            hint="`edgekit targets` lists the targets; cortex-m4 has one",
        )
    source = _sources(built)
    text = source.files[PurePosixPath(f"{source.stem}.c")]
    progress("bench: count each layer")
    return tuple(_costs(built, text, _run(built, source)))


def _sources(built: Built) -> Sources:
    """Return what was compiled, as it lies in the build's folder."""
    names = (f"{built.stem}.c", f"{built.stem}.h", BINDING)
    missing = [name for name in names if not (built.folder / name).is_file()]
    if missing:
        raise UsageError(f"{built.folder}/{missing[0]} is missing", hint="build again with `edgekit build`")
    return Sources(
        stem=built.stem,
        files={PurePosixPath(name): (built.folder / name).read_text(encoding="utf-8") for name in names},
        engine=built.firmware.engine,
        model_sha256=built.firmware.model_sha256,
        arena_bytes=built.firmware.arena_bytes,
        weights_bytes=built.firmware.weights_bytes,
        flash_bytes_read=built.flash_bytes_read,
        input_bytes=len(built.inputs[0]),
        output_bytes=len(built.outputs[0]),
    )


def with_counters(source: Sources) -> Sources:
    """Return sources that read the core's counter around every layer and give the counts as one more output."""
    c_file, binding = PurePosixPath(f"{source.stem}.c"), PurePosixPath(BINDING)
    names = [found[1] for found in _FUNCTION.finditer(source.files[c_file])]
    places = iter(range(len(names)))
    text = _FUNCTION.sub(lambda found: _WRAPPER.format(name=found[1], index=next(places)), source.files[c_file])
    bound = source.files[binding]
    outputs = int(re.findall(r"^#define EK_OUTPUT_COUNT (\d+)$", bound, re.MULTILINE)[0])
    bound = bound.replace(f"#define EK_OUTPUT_COUNT {outputs}", f"#define EK_OUTPUT_COUNT {outputs + 1}")
    bound = re.sub(r"\b(ek_model_(?:init|output))\(", r"\1_alone(", bound).rstrip().removesuffix("#endif")
    files = {
        **source.files,
        c_file: _COUNTERS.format(count=len(names)) + text,
        binding: bound + _BINDING.format(count=len(names), outputs=outputs),
        PurePosixPath("ek_profile.h"): _HEADER.format(count=len(names)),
    }
    return dataclasses.replace(source, files=files)


def _run(built: Built, source: Sources) -> dict[str, Counted]:
    """Build and run with counters; returns what each function of a layer took."""
    outputs, found = counted(source, built.firmware.target, built.inputs[0])
    if outputs != built.outputs[0]:
        raise UntrustworthyError(
            "with counters around its layers the model gives other outputs, so no profile is shown",
            hint="build again with `edgekit build`; if it stays, report the model as a fault of EdgeKit",
        )
    return found


def counted(source: Sources, target: Target, sample: bytes) -> tuple[bytes, dict[str, Counted]]:
    """Compile sources with counters, and run one inference.

    Args:
        source: of engine aot.
        target: one whose emulator counts instructions.
        sample: the bytes of all inputs.

    Returns:
        The bytes of all outputs; what each function of a layer took.
    """
    names = [found[1] for found in _FUNCTION.finditer(source.files[PurePosixPath(f"{source.stem}.c")])]
    with tempfile.TemporaryDirectory(prefix="edgekit-") as folder:
        firmware = toolchains.load(target.toolchain).compile(with_counters(source), target, Path(folder))
        with emulate_qemu.open(firmware, shift=_SHIFT) as link:
            (answer,) = collect(link, firmware, (sample,))
            tick_ns = link.tick_ns
    behind = len(answer) - (len(names) + 1) * _COUNTER.size
    *counters, (reading, _) = _COUNTER.iter_unpack(answer[behind:])
    return answer[:behind], {
        name: Counted(round((ticks - calls * reading) * tick_ns / 2**_SHIFT), calls)
        for name, (ticks, calls) in zip(names, counters, strict=True)
    }


def _costs(built: Built, text: str, functions: Mapping[str, Counted]) -> Iterator[LayerCost]:
    """Sum up the functions of each operator, and add what the graph and the ELF know of it."""
    parts: dict[int, list[str]] = defaultdict(list)
    for found in _FUNCTION.finditer(text):
        parts[int(found[2])].append(found[1])
    model = folded(graph.parse((built.folder / f"{built.stem}.tflite").read_bytes()))
    operators = {op.index: op for op in model.ops}
    described = {int(number): words for number, words in _DESCRIPTION.findall(text)}
    stored = _stored_bytes(built.firmware.elf, functions)
    whole = sum(each.instructions for each in functions.values())
    for index, names in sorted(parts.items()):
        op = operators[index]
        instructions = sum(functions[name].instructions for name in names)
        yield LayerCost(
            operator=index,
            kind=op.kind,
            description=described[index].partition(", ")[0],
            instructions=instructions,
            share=instructions / whole if whole else 0.0,
            macs=macs.op_macs(model, op),
            weights_bytes=sum(stored[name] for name in names),
            weights_bytes_read=sum(stored[name] * functions[name].calls for name in names),
            input_bytes=sum(model.tensors[i].size_bytes for i in set(op.inputs) if i >= 0 and not _constant(model, i)),
            output_bytes=sum(model.tensors[i].size_bytes for i in op.outputs),
            calls=sum(functions[name].calls for name in names),
        )


def _constant(model: graph.Graph, index: int) -> bool:
    return model.tensors[index].data is not None


def _stored_bytes(elf: Path, names: Mapping[str, Counted]) -> dict[str, int]:
    """Bytes of each layer's constants in the ELF, the kernel's settings left out."""
    sizes = dict.fromkeys(names, 0)
    with elf.open("rb") as stream:
        table = ELFFile(stream).get_section_by_name(".symtab")
        for symbol in table.iter_symbols() if table is not None else ():
            if symbol["st_info"]["type"] != "STT_OBJECT" or symbol.name.endswith("_settings"):
                continue
            owner = max((name for name in names if symbol.name.startswith(f"{name}_")), key=len, default=None)
            if owner is not None:
                sizes[owner] += symbol["st_size"]
    return sizes
