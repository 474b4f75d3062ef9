"""What each packing writes, its unpacker in C reads, unit by unit, under the sanitizers."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from edgekit.engine import packings
from edgekit.firmware_files import firmware_path

# Everything lies in memory of its own, so that the sanitizer sees each byte that is read or written beside it. The
# codes may be followed by as many bytes as they are made with.
DRIVER = """
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
{includes}
static ek_unpack *const unpackers[] = {{{unpackers}}};
static void *taken(int32_t bytes) {{
  void *memory = malloc(bytes > 0 ? (size_t)bytes : 1);
  if (bytes > 0 && fread(memory, (size_t)bytes, 1, stdin) != 1) exit(2);
  return memory;
}}
int main(void) {{
  int32_t sizes[5]; /* which unpacker, bytes of codes, of values, weights, weights of a unit */
  while (fread(sizes, sizeof sizes, 1, stdin) == 1) {{
    uint8_t *codes = (uint8_t *)taken(sizes[1]);
    int8_t *values = (int8_t *)taken(sizes[2]);
    ek_packed packed = {{codes, values}};
    for (int32_t left = sizes[3]; left > 0; left -= sizes[4]) {{
      const int32_t count = left < sizes[4] ? left : sizes[4];
      int8_t *unit = (int8_t *)malloc((size_t)count);
      memset(unit, 0x5A, (size_t)count);
      packed = unpackers[sizes[0]](packed, unit, count);
      fwrite(unit, 1, (size_t)count, stdout);
      free(unit);
    }}
    free(codes);
    free(values);
  }}
  return 0;
}}
"""


def _streams(count: int) -> list[tuple[NDArray[np.int8], int]]:
    """Streams of all kinds of weights, and weights of a unit."""
    random = np.random.default_rng(3)
    made = [
        (np.zeros(1, np.int8), 1),
        (np.zeros(300, np.int8), 100),
        (np.full(9, -7, np.int8), 4),
        (np.arange(-128, 128).astype(np.int8), 256),
        (np.repeat(np.arange(-128, 128), 1 << np.minimum(np.arange(256) // 8, 9)).astype(np.int8), 64),
    ]
    for _ in range(count):
        weights = random.laplace(0, random.choice([0.3, 2, 9, 40]), int(random.integers(1, 3000))).clip(-128, 127)
        weights = weights.astype(np.int8) // random.choice([1, 1, 30]) * (random.random(len(weights)) < random.random())
        made.append((weights.astype(np.int8), int(random.integers(1, 400))))
    return made


def test_every_unpacker_reads_what_was_packed(tmp_path: Path) -> None:
    names = packings.names()
    includes = "\n".join(f'#include "unpack_{name}.h"' for name in names)
    unpackers = ", ".join(f"ek_unpack_{name}" for name in names)
    (tmp_path / "driver.c").write_text(DRIVER.format(includes=includes, unpackers=unpackers))
    command = ["cc", "-std=c99", "-O1", "-Wall", "-Wextra", "-Wconversion", "-Werror", "-fsanitize=address,undefined"]
    command += ["-fno-sanitize-recover", "-I", str(firmware_path("engine")), "-o", "driver", "driver.c"]
    subprocess.run(command, check=True, cwd=tmp_path)
    sent, expected, seen = [], [], dict.fromkeys(names, 0)
    for weights, unit in _streams(300):
        for one in packings.packed(weights, unit):
            values = b"" if one.values is None else one.values.values.tobytes()
            sizes = (names.index(one.name), one.codes.values.nbytes, len(values), len(weights), unit)
            sent.append(np.array(sizes, np.int32).tobytes() + one.codes.values.tobytes() + values)
            expected.append(weights.tobytes())
            seen[one.name] += 1
    assert min(seen.values()) > 30, seen
    ran = subprocess.run([str(tmp_path / "driver")], input=b"".join(sent), capture_output=True, check=False)
    assert ran.returncode == 0, ran.stderr.decode()[:2000]
    assert ran.stdout == b"".join(expected)


@pytest.mark.parametrize("zeros", [0, 0.1, 0.3, 0.5, 0.7, 0.83, 0.9, 0.95, 0.98])
@pytest.mark.parametrize("kind", ["normal", "narrow", "clustered"])
def test_prefix_codes_are_near_the_entropy(zeros: float, kind: str) -> None:
    random = np.random.default_rng(0)
    weights = random.normal(0, 8 if kind == "narrow" else 32, 200_000).clip(-127, 127)
    weights = np.rint(weights / 16) * 16 if kind == "clustered" else np.rint(weights)
    weights = (weights * (random.random(len(weights)) >= zeros)).astype(np.int8)
    share = np.unique(weights, return_counts=True)[1] / len(weights)
    entropy_bytes = -(share * np.log2(share)).sum() * len(weights) / 8
    (made,) = (one for one in packings.packed(weights, 2048) if one.name == "prefix")
    assert made.codes.values.nbytes <= 1.03 * entropy_bytes
    assert made.bytes - made.codes.values.nbytes < 400
