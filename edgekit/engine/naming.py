"""Names from a model never reach C as they are: identifiers, comments and strings are made here."""

from __future__ import annotations

import re

# C99 and C++17 keywords that a model's name could hit; a trailing underscore makes them free.
_KEYWORDS = frozenset(
    "alignas alignof and asm auto bool break case catch char class const continue default delete do double else enum "
    "explicit export extern false float for friend goto if inline int long mutable namespace new not nullptr operator "
    "or private protected public register restrict return short signed sizeof static struct switch template this throw "
    "true try typedef typeid typename union unsigned using virtual void volatile while xor main".split()
)

# Header names that a model's own header would hide: those of the C standard library and of the firmware harness.
_HEADERS = frozenset(
    "assert bytes complex ctype errno fenv float frame guard inttypes iso646 limits locale math model "
    "phase port setjmp signal stdarg stdbool stddef stdint stdio stdlib string tgmath time wchar wctype".split()
)


def c_identifier(name: str) -> str:
    """Turn any text into a lower-case C identifier of at most 48 characters.

    Args:
        name: e.g. a file's stem.

    Returns:
        Letters, digits and underscores; never empty, a keyword, the name of a standard header, or in
        EdgeKit's own ``ek_`` space.

    Example:
        >>> c_identifier("Key Word/2; system('x')"), c_identifier("3d"), c_identifier("int")
        ('key_word_2_system_x', 'model_3d', 'int_')
    """
    text = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")[:48].strip("_") or "network"
    if text[0].isdigit() or text == "ek" or text.startswith("ek_"):
        text = f"model_{text}"
    return f"{text}_" if text in _KEYWORDS | _HEADERS else text


def c_comment(text: str) -> str:
    """Make text safe inside a C comment: printable ASCII without what ends or starts one.

    Example:
        >>> c_comment("a*/ system(1); /*")
        'a._ system(1). _.'
    """
    return re.sub(r"[^A-Za-z0-9_()\[\]:, +-]", lambda match: "_" if match.group() == "/" else ".", text)[:120]


def c_string(text: str) -> str:
    r"""Quote text as a C string literal; everything but letters, digits, space and a few signs becomes octal.

    Example:
        >>> print(c_string('stop"; ??/ é'))
        "stop\042\073 \077\077\057 \303\251"
    """
    safe = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 _.,-+()"
    return '"' + "".join(chr(byte) if byte in safe else f"\\{byte:03o}" for byte in text.encode()) + '"'
