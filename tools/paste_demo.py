"""Put what `make demo` prints into the README, between its two markers: `make -s demo | tools/paste_demo.py`."""

from __future__ import annotations

import sys
from pathlib import Path

README = Path(__file__).resolve().parent.parent / "README.md"
BEGIN, END = "<!-- demo output: begin -->", "<!-- demo output: end -->"


def main() -> None:
    """Replace the block; anything but a demo on stdin leaves the README as it is."""
    shown = "\n".join(line.rstrip() for line in sys.stdin.read().strip().splitlines())
    if "outputs" not in shown:
        sys.exit("error: stdin is not the output of `make demo`\nhint: run `make -s demo` and see why it fails")
    text = README.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    README.write_text(f"{before}{BEGIN}\n```\n{shown}\n```\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
