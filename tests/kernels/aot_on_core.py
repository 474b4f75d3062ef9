"""Compile emitted C for an emulated core, many models in one firmware with their inputs in flash, and run them at once.

To the harness all of them are one model, whose output is the CRC-32 of what each of them answers.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from aot_on_host import ends, kernels, layers
from placements import free_spans

from edgekit import targets, toolchains
from edgekit.deploy import emulate_qemu
from edgekit.engine import c_prune
from edgekit.engine.emit_aot import emit_program
from edgekit.engine.program import Program
from edgekit.engine.types import Sources
from edgekit.harness.measure import collect

_BEHIND = 32  # bytes behind an arena that must keep their dirt
_DIRT = 0x5C
_RUN = """
static const uint8_t {stem}_samples[{bytes}] = {{{values}}};
static uint8_t *run_{stem}(uint8_t *arena, uint8_t *answer) {{
  static const uint32_t free_spans[][2] = {{{free}}}; /* offset, bytes */
  const uint8_t *sample = {stem}_samples;
  for (int run = 0; run < {samples}; ++run) {{
    memset(arena, {dirt}, {arena});
    {stem}_init(arena);
    {reads}
    {stem}_invoke(arena);
    uint32_t outputs = 0, beside = 0;
    {writes}
    for (uint32_t i = 0; i < sizeof free_spans / sizeof free_spans[0]; ++i) {{
      beside = ek_crc32(beside, arena + free_spans[i][0], free_spans[i][1]);
    }}
    answer = put(put(answer, outputs), beside);
  }}
  return answer;
}}
"""
_PUT = """
static uint8_t *put(uint8_t *to, uint32_t value) {
  for (int byte = 0; byte < 4; ++byte) {
    *to++ = (uint8_t)(value >> (8 * byte));
  }
  return to;
}
"""
_BINDING = """\
#ifndef EK_MODEL_H
#define EK_MODEL_H
#include "model.h"
void layers_invoke(uint8_t *answer, uint8_t *arena);
#define EK_MODEL_NAME "layers"
#define EK_MODEL_SHA256 "{sha256}"
#define EK_ENGINE "aot"
#define EK_ARENA_BYTES {whole}
#define EK_ENGINE_BYTES 0
#define EK_INPUT_COUNT 1
#define EK_OUTPUT_COUNT 1
#define EK_MODEL_CONSTANTS_CRC 0u
static inline uint32_t ek_model_constants_crc(uint32_t (*add)(uint32_t crc, const uint8_t *data, uint32_t bytes)) {{
  return add(0, (const uint8_t *)"", 0); /* what the layers give says whether they are whole */
}}
static inline int ek_model_init(uint8_t *arena) {{ (void)arena; return 0; }}
static inline void ek_model_reset(uint8_t *arena) {{ (void)arena; }}
static inline int ek_model_invoke(uint8_t *arena) {{
  layers_invoke(arena, arena + {answer});
  return 0;
}}
static inline ek_span ek_model_input(uint8_t *arena, uint32_t index) {{
  const ek_span span = {{arena + index, 1}};
  return span;
}}
static inline ek_span ek_model_output(uint8_t *arena, uint32_t index) {{
  const ek_span span = {{arena + index, {output}}};
  return span;
}}
#endif
"""


def differing(
    target_name: str,
    programs: Sequence[Program],
    inputs: Sequence[tuple[bytes, ...]],
    expected: Sequence[tuple[bytes, ...]],
    folder: Path,
) -> list[tuple[int, str]]:
    """Run programs on the emulated core of a target, whose features they are for.

    Args:
        target_name: one with an emulator.
        programs: the models; those of one call fit into the target's flash together.
        inputs: for each program and inference the bytes of all inputs.
        expected: for each program and inference the bytes of all outputs.
        folder: for the firmware.

    Returns:
        The positions of the programs that answer something else, and what is wrong with them.
    """
    target = targets.load(target_name)
    sources = _sources(programs, inputs)
    firmware = toolchains.load(target.toolchain).compile(sources, target, folder)
    with emulate_qemu.open(firmware) as link:
        (answer,) = collect(link, firmware, (b"\0",))
    crcs, faults = iter(struct.iter_unpack("<II", answer)), []
    for place, (program, truths) in enumerate(zip(programs, expected, strict=True)):
        beside = zlib.crc32(bytes([_DIRT]) * sum(end - begin for begin, end in _free(program)))
        for truth in truths:
            outputs, found_beside = next(crcs)
            if outputs != zlib.crc32(truth):
                faults.append((place, "gives other outputs"))
            if found_beside != beside:
                faults.append((place, "wrote beside its tensors"))
    return faults


def _free(program: Program) -> list[tuple[int, int]]:
    end = program.memory.arena_bytes
    return [*free_spans(program), (end, end + _BEHIND)]


def _sources(programs: Sequence[Program], inputs: Sequence[tuple[bytes, ...]]) -> Sources:
    headers, bodies = [], []
    for index, (program, samples) in enumerate(zip(programs, inputs, strict=True)):
        stem = f"case_{index}"
        emitted = emit_program(program, stem).files
        headers.append(emitted[PurePosixPath(f"{stem}.h")])
        bodies += [layers(emitted[PurePosixPath(f"{stem}.c")], stem), _run_function(program, stem, samples)]
    calls = "".join(f"  answer = run_case_{index}(arena, answer);\n" for index in range(len(programs)))
    text = [
        '#include <stdint.h>\n#include <string.h>\n#include "ek_model.h"\n#include "frame.h"\n',
        *headers,
        *c_prune.pruned(kernels(programs), "\n".join(bodies)),
        _PUT,
        *bodies,
        f"void layers_invoke(uint8_t *answer, uint8_t *arena) {{\n{calls}  (void)answer;\n}}\n",
    ]
    output = 8 * sum(len(samples) for samples in inputs)
    arena = max(program.memory.arena_bytes for program in programs) + _BEHIND
    whole, answer = -(-output // 16) * 16 + arena, -(-output // 16) * 16
    binding = _BINDING.format(whole=whole, answer=answer, output=output, sha256="ab" * 32)
    return Sources(
        stem="layers",
        files={PurePosixPath("layers.c"): "\n".join(text), PurePosixPath("ek_model.h"): binding},
        engine="aot",
        model_sha256="ab" * 32,
        arena_bytes=whole,
        weights_bytes=0,
        flash_bytes_read=0,
        input_bytes=1,
        output_bytes=output,
    )


def _run_function(program: Program, stem: str, samples: tuple[bytes, ...]) -> str:
    macro = stem.upper()
    inputs, outputs = (ends(role, getattr(program.graph, f"{role}s")) for role in ("input", "output"))
    values = b"".join(samples)
    reads, writes = [], []
    for end in inputs:
        size = f"{macro}_{end.upper()}_BYTES"
        reads.append(f"memcpy({stem}_{end}(arena), sample, {size}); sample += {size};")
    for end in outputs:
        writes.append(
            f"outputs = ek_crc32(outputs, (const uint8_t *){stem}_{end}(arena), {macro}_{end.upper()}_BYTES);"
        )
    return _RUN.format(
        stem=stem,
        bytes=len(values),
        values=",".join(map(str, values)),
        free=", ".join(f"{{{begin}, {end - begin}}}" for begin, end in _free(program)),
        samples=len(samples),
        dirt=_DIRT,
        arena=program.memory.arena_bytes + _BEHIND,
        reads="\n    ".join(reads),
        writes="\n    ".join(writes),
    )
