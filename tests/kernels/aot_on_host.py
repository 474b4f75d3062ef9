"""Compile emitted C with the host's compiler and sanitizers, several models in one program, and run them."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

from edgekit.engine.emit_aot import emit_program
from edgekit.engine.program import Program

FLAGS = (
    "-std=c99",
    "-O1",
    "-g",
    "-Wall",
    "-Wextra",
    "-Wconversion",
    "-Werror",
    "-fsanitize=address,undefined",
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


def run(
    programs: Sequence[Program],
    inputs: Sequence[tuple[bytes, ...]],
    folder: Path,
    features: tuple[str, ...] = (),
) -> list[tuple[bytes, ...]]:
    """Return per program and per input the output bytes, under address and undefined-behavior sanitizers."""
    driver, stems, sizes = ["#include <stdio.h>\n#include <string.h>\n"], [], []
    for index, (program, samples) in enumerate(zip(programs, inputs, strict=True)):
        stem = f"case_{index}"
        sources = emit_program(program, stem, features=features)
        for path, text in sources.files.items():
            (folder / path).write_text(text)
        driver.append(f'#include "{stem}.h"\n' + _run_function(program, stem, len(samples)))
        stems.append(stem)
        sizes.append(sources.output_bytes)
    calls = "".join(f"  if (run_{stem}({17 * index % 256})) return 1;\n" for index, stem in enumerate(stems))
    driver.append(f"int main(void) {{\n{calls}  return 0;\n}}\n")
    (folder / "driver.c").write_text("".join(driver))
    command = ["cc", *FLAGS, "-o", "driver", "driver.c", *(f"{stem}.c" for stem in stems)]
    subprocess.run(command, check=True, cwd=folder)
    stream = b"".join(b"".join(samples) for samples in inputs)
    out = subprocess.run([str(folder / "driver")], input=stream, stdout=subprocess.PIPE, check=True).stdout
    results, start = [], 0
    for size, samples in zip(sizes, inputs, strict=True):
        results.append(tuple(out[start + i * size : start + (i + 1) * size] for i in range(len(samples))))
        start += size * len(samples)
    assert start == len(out)
    return results
