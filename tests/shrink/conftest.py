"""Shrinking is judged with the helpers of the kernel tests."""

from __future__ import annotations

import sys
from pathlib import Path

_HERE = Path(__file__).parent
for folder in (_HERE, _HERE.parent / "kernels"):
    sys.path.insert(0, str(folder))
