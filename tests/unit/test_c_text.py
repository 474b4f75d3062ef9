"""Large arrays in emitted C: short to compile, the same bytes, in C99 and in C++17."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest

from edgekit.engine import c_text
from edgekit.engine.lowered import Constant

_PROGRAM = """\
#include <stdint.h>
#include <stdio.h>
{array}
static const void *const address = large;
int main(void) {{ return address == large && fwrite(large, sizeof large, 1, stdout) == 1 ? 0 : 1; }}
"""


@pytest.mark.parametrize("dtype", [np.int8, np.uint16, np.int32])
@pytest.mark.parametrize("language", ["c", "c++"])
def test_a_large_array_has_its_bytes(dtype: type, language: str, tmp_path: Path) -> None:
    limits = np.iinfo(dtype)
    values = np.random.default_rng(0).integers(limits.min, limits.max, 65_555, dtype, endpoint=True)
    text = c_text.array("large", Constant("large", values, "(65555)"))
    assert len(text) < 3 * values.nbytes
    source, program = tmp_path / "large.txt", tmp_path / "large"
    source.write_text(_PROGRAM.format(array=text))
    standard = {"c": "c99", "c++": "c++17"}[language]
    warnings = ("-Wall", "-Wextra", "-Wconversion", "-pedantic", "-Werror")
    subprocess.run(["cc", "-x", language, f"-std={standard}", *warnings, source, "-o", program], check=True)
    assert subprocess.run([program], capture_output=True, check=True).stdout == values.tobytes()
