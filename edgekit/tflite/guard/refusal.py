"""How the guard says no: always the place, the field, what came and what was expected."""

from __future__ import annotations

from edgekit.errors import ModelError

DAMAGED = "the file is damaged or was not written by a converter: copy or export it again and compare its sha256"
_NAME_CHARACTERS = 60


def quoted(name: bytes | str | None) -> str:
    r"""Return a name from a file as it may be printed: escaped, and cut where it is long.

    Example:
        >>> quoted(b"dense/bias\x1b[2J\n")
        "'dense/bias\\x1b[2J\\n'"
    """
    text = name.decode("utf-8", errors="replace") if isinstance(name, bytes) else name or ""
    cut = text if len(text) <= _NAME_CHARACTERS else text[: _NAME_CHARACTERS - 1] + "…"
    return ascii(cut) if not cut.isprintable() else repr(cut)


def refusal(where: str, field: str, what: str, *, hint: str = DAMAGED) -> ModelError:
    """Return the error that refuses a file.

    Args:
        where: operator (index and kind) or tensor (index and name), or another part of the file.
        field: the schema's name of the field.
        what: what came, and what was expected.
        hint: what to do next.

    Example:
        >>> refusal("operator 3 (CONV_2D)", "strideH", "is 0, expected 1 or more").what
        'operator 3 (CONV_2D): strideH is 0, expected 1 or more'
    """
    return ModelError(f"{where}: {field} {what}", hint=hint)
