"""Compile a model's emitted C with the host's compiler and sanitizers, and run it on given inputs."""

from __future__ import annotations

import subprocess
from pathlib import Path

from edgekit.engine.emit_aot import Program, emit_program, program
from edgekit.tflite.graph import Graph

FLAGS = ("-std=c99", "-O1", "-g", "-Wall", "-Wextra", "-Wconversion", "-Werror", "-fsanitize=address,undefined")

# The arena is dirty before every run, so that a kernel which reads what it never wrote is seen.
DRIVER = """
#include "model_under_test.h"
#include <stdio.h>
#include <string.h>
static _Alignas(16) unsigned char arena[MODEL_UNDER_TEST_ARENA_BYTES + 32];
int main(void) {
  static signed char input[MODEL_UNDER_TEST_INPUT_BYTES];
  unsigned char dirt = 0x5a;
  while (fread(input, 1, sizeof input, stdin) == sizeof input) {
    memset(arena, dirt += 37, sizeof arena);
    memcpy(model_under_test_input(arena), input, sizeof input);
    model_under_test_invoke(arena);
    fwrite(model_under_test_output(arena), 1, MODEL_UNDER_TEST_OUTPUT_BYTES, stdout);
    for (int i = 0; i < 32; ++i) {
      if (arena[MODEL_UNDER_TEST_ARENA_BYTES + i] != dirt) return 3;
    }
  }
  return 0;
}
"""


def run(graph: Graph, inputs: tuple[bytes, ...], folder: Path, made: Program | None = None) -> tuple[bytes, ...]:
    """Return the output bytes for each input, computed by the emitted C under address and undefined-behavior sanitizers."""
    sources = emit_program(made or program(graph), "model_under_test")
    for path, text in sources.files.items():
        (folder / path).write_text(text)
    (folder / "driver.c").write_text(DRIVER.replace("_Alignas(16)", "__attribute__((aligned(16)))"))
    binary = folder / "driver"
    subprocess.run(
        ["cc", *FLAGS, "-o", str(binary), str(folder / "driver.c"), str(folder / "model_under_test.c")], check=True
    )
    done = subprocess.run([str(binary)], input=b"".join(inputs), stdout=subprocess.PIPE, check=True)
    size = sources.output_bytes
    return tuple(done.stdout[start : start + size] for start in range(0, len(done.stdout), size))
