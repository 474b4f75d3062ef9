"""Compile emitted C with the host's compiler and sanitizers, many models in one program, and run them."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from placements import free_spans, kept_inputs

from edgekit.engine import c_text
from edgekit.engine.emit_aot import emit_program
from edgekit.engine.program import Program

# Without optimization the sanitizers see every access as it is written, and compile four times as fast.
FLAGS = (
    "-std=c99",
    "-O0",
    "-g",
    "-Wall",
    "-Wextra",
    "-Wconversion",
    "-Werror",
    "-fsanitize=address,undefined",
    "-fno-sanitize-recover=all",
)

# The arena is dirty before every run, so that a kernel which reads what it never wrote is seen. What belongs to no
# tensor is poisoned while the model runs, and keeps its dirt; an input that shares its bytes with nothing keeps them.
_RUN = """
static int run_{stem}(unsigned char dirt) {{
  static unsigned char arena[{macro}_ARENA_BYTES + 32] __attribute__((aligned(16)));
  static const int free_spans[][2] = {{{free}}}; /* offset, bytes */
  for (int sample = 0; sample < {samples}; ++sample) {{
    memset(arena, dirt + sample, sizeof arena);
    {stem}_init(arena);
    {reads}
    poison(arena, free_spans, {free_count});
    {stem}_invoke(arena);
    if (!unpoisoned(arena, free_spans, {free_count}, (unsigned char)(dirt + sample))) return 3;
    {kept}
    {writes}
  }}
  return 0;
}}
"""
_POISON = """
void __asan_poison_memory_region(void const volatile *, size_t);
void __asan_unpoison_memory_region(void const volatile *, size_t);
static int said(int index, int fault) {
  static const char *const faults[] = {"", "", "no more input", "wrote beside its tensors", "changed its input"};
  if (fault != 0) fprintf(stderr, "case_%d %s\\n", index, faults[fault]);
  return fault;
}
static void poison(const unsigned char *arena, const int (*spans)[2], int count) {
  for (int i = 0; i < count; ++i) __asan_poison_memory_region(arena + spans[i][0], (size_t)spans[i][1]);
}
static int unpoisoned(const unsigned char *arena, const int (*spans)[2], int count, unsigned char dirt) {
  for (int i = 0; i < count; ++i) {
    __asan_unpoison_memory_region(arena + spans[i][0], (size_t)spans[i][1]);
    for (int k = 0; k < spans[i][1]; ++k) {
      if (arena[spans[i][0] + k] != dirt) return 0;
    }
  }
  return 1;
}
"""


def _run_function(program: Program, stem: str, samples: int) -> str:
    """Independent inferences: states start anew, all inputs come in graph order, all outputs go in graph order."""
    inputs, outputs = (ends(role, getattr(program.graph, f"{role}s")) for role in ("input", "output"))
    macro = stem.upper()
    reads, kept = [], []
    writes = [f"fwrite({stem}_{end}(arena), 1, {macro}_{end.upper()}_BYTES, stdout);" for end in outputs]
    for position, end in enumerate(inputs):
        place, size = f"{stem}_{end}(arena)", f"{macro}_{end.upper()}_BYTES"
        reads.append(f"if (fread({place}, {size}, 1, stdin) != 1) return 2;")
        if position in kept_inputs(program):
            reads.append(f"static unsigned char sent_{position}[{size}]; memcpy(sent_{position}, {place}, {size});")
            kept.append(f"if (memcmp(sent_{position}, {place}, {size}) != 0) return 4;")
    free = [*free_spans(program), (program.memory.arena_bytes, program.memory.arena_bytes + 32)]
    return _RUN.format(
        stem=stem,
        macro=macro,
        samples=samples,
        free=", ".join(f"{{{begin}, {end - begin}}}" for begin, end in free),
        free_count=len(free),
        reads="\n    ".join(reads),
        kept="\n    ".join(kept),
        writes="\n    ".join(writes),
    )


def ends(role: str, indices: tuple[int, ...]) -> list[str]:
    """What the emitted header calls inputs or outputs."""
    return [role] if len(indices) == 1 else [f"{role}_{position}" for position in range(len(indices))]


def kernels(programs: Sequence[Program]) -> list[str]:
    """Return the texts of all kernels that the programs use, each once, what is needed first."""
    stems = dict.fromkeys(item.kernel for program in programs for item in program.lowered if item.kernel)
    return c_text.kernel_texts(("rows", *stems), programs[0].options.features)


def identity(program: Program) -> str:
    """Return what two programs have in common that are the same C: kernels, constants, settings, plan."""
    return "".join(emit_program(program, "model").files.values())


def layers(source: str, stem: str) -> str:
    """What a model's file says behind its kernels, with names that no other model has."""
    behind = source.partition("/* ---- Layers ---- */\n")[2]
    return re.sub(r"\b(layers?|tensor)_(?=\d)", rf"{stem}_\1_", behind)


def run(programs: Sequence[Program], inputs: Sequence[tuple[bytes, ...]], folder: Path) -> list[tuple[bytes, ...]]:
    """Return per program and per input the output bytes, under address and undefined-behavior sanitizers.

    All programs are for the same features of cores.

    All models stand in one file, the kernels once: that a file compiles as it is emitted is for others to test.
    """
    if not programs:
        return []
    headers, bodies, stems, sizes = [], [], [], []
    for index, (program, samples) in enumerate(zip(programs, inputs, strict=True)):
        stem = f"case_{index}"
        sources = emit_program(program, stem)
        headers.append(sources.files[PurePosixPath(f"{stem}.h")])
        bodies.append(layers(sources.files[PurePosixPath(f"{stem}.c")], stem))
        bodies.append(_run_function(program, stem, len(samples)))
        stems.append(stem)
        sizes.append(sources.output_bytes)
    calls = "".join(
        f"  if (said({index}, run_{stem}({17 * index % 256}))) return 1;\n" for index, stem in enumerate(stems)
    )
    driver = [
        "#include <stdint.h>\n#include <stdio.h>\n#include <string.h>\n",
        _POISON,
        *headers,
        *kernels(programs),
        *bodies,
        f"int main(void) {{\n{calls}  return 0;\n}}\n",
    ]
    (folder / "driver.c").write_text("\n".join(driver))
    subprocess.run(["cc", *FLAGS, "-o", "driver", "driver.c"], check=True, cwd=folder)
    stream = b"".join(b"".join(samples) for samples in inputs)
    ran = subprocess.run([str(folder / "driver")], input=stream, capture_output=True, check=False)
    assert ran.returncode == 0, ran.stderr.decode("utf-8", "replace")[:4000]
    results, start = [], 0
    for size, samples in zip(sizes, inputs, strict=True):
        results.append(tuple(ran.stdout[start + i * size : start + (i + 1) * size] for i in range(len(samples))))
        start += size * len(samples)
    assert start == len(ran.stdout)
    return results
