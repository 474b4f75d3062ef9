"""Both forms of the fixed-point product against exact integers."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest

from edgekit.firmware_files import firmware_path

DRIVER = """
#include "{header}"
#include <stdio.h>
int main(void) {{
  int32_t pair[2];
  while (fread(pair, sizeof pair, 1, stdin) == 1) {{
    int32_t product = ek_multiply_high(pair[0], pair[1]);
    fwrite(&product, sizeof product, 1, stdout);
  }}
  return 0;
}}
"""
EDGES = [0, 1, -1, 2, 0xFFFF, 0x10000, -0x10000, 0x7FFF, -0x8000, 2**30, 2**30 - 1, -(2**30), 2**31 - 1, -(2**31)]


@pytest.mark.parametrize("header", ["multiply_high.h", "multiply_high.mul32.h"])
def test_product_is_exact(header: str, tmp_path: Path) -> None:
    (tmp_path / "driver.c").write_text(DRIVER.format(header=header))
    command = ["cc", "-std=c99", "-O1", "-Wall", "-Wextra", "-Wconversion", "-Werror", "-fsanitize=undefined"]
    command += ["-fno-sanitize-recover", "-I", str(firmware_path("engine")), "-o", "driver", "driver.c"]
    subprocess.run(command, check=True, cwd=tmp_path)
    random = np.random.default_rng(0).integers(-(2**31), 2**31, (100_000, 2), dtype=np.int64)
    edges = [(a, b) for a in EDGES for b in EDGES if (a, b) != (-(2**31), -(2**31))]
    pairs = np.concatenate([np.array(edges, np.int64), random])
    out = subprocess.run(
        [str(tmp_path / "driver")], input=pairs.astype(np.int32).tobytes(), stdout=subprocess.PIPE, check=True
    ).stdout
    expected = (pairs[:, 0] * pairs[:, 1] + 2**30) >> 31
    np.testing.assert_array_equal(np.frombuffer(out, np.int32), expected)
