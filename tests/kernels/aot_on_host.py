"""Compile emitted C with the host's compiler and sanitizers, several models in one program, and run them."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

from edgekit.engine.emit_aot import Program, emit_program

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
    if (fread({stem}_input(arena), 1, {macro}_INPUT_BYTES, stdin) != {macro}_INPUT_BYTES) return 2;
    {stem}_invoke(arena);
    fwrite({stem}_output(arena), 1, {macro}_OUTPUT_BYTES, stdout);
    for (int i = 0; i < 32; ++i) {{
      if (arena[{macro}_ARENA_BYTES + i] != (unsigned char)(dirt + sample)) return 3;
    }}
  }}
  return 0;
}}
"""


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
        driver.append(f'#include "{stem}.h"\n' + _RUN.format(stem=stem, macro=stem.upper(), samples=len(samples)))
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
