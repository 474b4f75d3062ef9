"""Where the C that ships with EdgeKit lies: beside the package in a checkout, inside it in an installed wheel."""

from __future__ import annotations

from pathlib import Path


def firmware_path(*parts: str) -> Path:
    """Return a path below `firmware/`.

    Args:
        parts: path components below the firmware folder, e.g. ``("ports", "esp32")``.

    Returns:
        An existing folder or file.

    Raises:
        FileNotFoundError: the installation is incomplete.

    Example:
        >>> firmware_path("engine").is_dir()
        True
    """
    package = Path(__file__).resolve().parent
    for root in (package / "_firmware", package.parent / "firmware"):
        if root.is_dir():
            path = root.joinpath(*parts)
            if path.exists():
                return path
    raise FileNotFoundError(f"firmware file {'/'.join(parts)} is missing from this installation of EdgeKit")
