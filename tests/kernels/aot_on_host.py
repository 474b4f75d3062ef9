"""Compile emitted C with the host's compiler and sanitizers, many models in one program, and run them."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

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

# The arena is dirty before every run, so that a kernel which reads what it never wrote is seen; the bytes behind it
# must keep their dirt.
_RUN = """
static int run_{stem}(unsigned char dirt) {{
  static unsigned char arena[{macro}_ARENA_BYTES + 32] __attribute__((aligned(16)));
  for (int sample = 0; sample < {samples}; ++sample) {{
    memset(arena, dirt + sample, sizeof arena);
    {reset}
    {reads}
    {stem}_invoke(arena);
    {writes}
    for (int i = 0; i < 32; ++i) {{
      if (arena[{macro}_ARENA_BYTES + i] != (unsigned char)(dirt + sample)) return 3;
    }}
  }}
  return 0;
}}
"""


def _run_function(program: Program, stem: str, samples: int) -> str:
    """Independent inferences: states start anew, all inputs come in graph order, all outputs go in graph order."""

    def ends(role: str, indices: tuple[int, ...]) -> list[str]:
        return [role] if len(indices) == 1 else [f"{role}_{position}" for position in range(len(indices))]

    macro = stem.upper()
    reads = "\n    ".join(
        f"if (fread({stem}_{end}(arena), {macro}_{end.upper()}_BYTES, 1, stdin) != 1) return 2;"
        for end in ends("input", program.graph.inputs)
    )
    writes = "\n    ".join(
        f"fwrite({stem}_{end}(arena), 1, {macro}_{end.upper()}_BYTES, stdout);"
        for end in ends("output", program.graph.outputs)
    )
    reset = f"{stem}_reset(arena);" if program.states else ""
    return _RUN.format(stem=stem, macro=macro, samples=samples, reads=reads, writes=writes, reset=reset)


def kernels(programs: Sequence[Program]) -> list[str]:
    """Return the texts of all kernels that the programs use, each once, what is needed first."""
    stems = dict.fromkeys(item.kernel for program in programs for item in program.lowered if item.kernel)
    return c_text.kernel_texts(("rows", *stems), programs[0].options.features)


def _layers(source: str, stem: str) -> str:
    """What a model's file says behind its kernels, with names that no other model has."""
    behind = source.partition("/* ---- Layers ---- */\n")[2]
    return re.sub(r"\b(layer|tensor)_(?=\d)", rf"{stem}_\1_", behind)


def run(programs: Sequence[Program], inputs: Sequence[tuple[bytes, ...]], folder: Path) -> list[tuple[bytes, ...]]:
    """Return per program and per input the output bytes, under address and undefined-behavior sanitizers.

    All programs are for the same features of cores.

    All models stand in one file, the kernels once: that a file compiles as it is emitted is for others to test.
    """
    headers, bodies, stems, sizes = [], [], [], []
    for index, (program, samples) in enumerate(zip(programs, inputs, strict=True)):
        stem = f"case_{index}"
        sources = emit_program(program, stem)
        headers.append(sources.files[PurePosixPath(f"{stem}.h")])
        bodies.append(_layers(sources.files[PurePosixPath(f"{stem}.c")], stem))
        bodies.append(_run_function(program, stem, len(samples)))
        stems.append(stem)
        sizes.append(sources.output_bytes)
    calls = "".join(f"  if (run_{stem}({17 * index % 256})) return 1;\n" for index, stem in enumerate(stems))
    driver = [
        "#include <stdint.h>\n#include <stdio.h>\n#include <string.h>\n",
        *headers,
        *kernels(programs),
        *bodies,
        f"int main(void) {{\n{calls}  return 0;\n}}\n",
    ]
    (folder / "driver.c").write_text("\n".join(driver))
    subprocess.run(["cc", *FLAGS, "-o", "driver", "driver.c"], check=True, cwd=folder)
    stream = b"".join(b"".join(samples) for samples in inputs)
    out = subprocess.run([str(folder / "driver")], input=stream, stdout=subprocess.PIPE, check=True).stdout
    results, start = [], 0
    for size, samples in zip(sizes, inputs, strict=True):
        results.append(tuple(out[start + i * size : start + (i + 1) * size] for i in range(len(samples))))
        start += size * len(samples)
    assert start == len(out)
    return results
