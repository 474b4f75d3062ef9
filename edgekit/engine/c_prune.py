"""Of the kernels' headers an emitted file takes what the model uses, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_DIRECTIVE = re.compile(r"#\s*(if|ifdef|ifndef|elif|else|endif)\b")
_COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class _Item:
    """A piece of C at file scope, with the comment in front of it.

    Attributes:
        text: as it stands.
        names: what it defines; an item without names is always kept.
        uses: identifiers in it.
        pasted: what stands in front of ## in a macro: anything whose name begins so may be meant.
        directive: of the preprocessor, e.g. "if"; None for anything that a condition may enclose.
    """

    text: str
    names: frozenset[str]
    uses: frozenset[str]
    pasted: tuple[str, ...] = ()
    directive: str | None = None


def pruned(texts: Sequence[str], user: str) -> list[str]:
    """Return the functions, types, constants and macros that `user` needs, directly or not.

    Args:
        texts: C at file scope, formatted: what is defined begins in the first column, a blank line behind it.
        user: the C that uses it.

    Returns:
        What is left of each text, without those of which only a comment would be.
    """
    items = [(number, item) for number, text in enumerate(texts) for item in _items(text)]
    needed, pasted = set(_identifiers(user)), list[str]()
    kept: set[int] = set()
    grows = True
    while grows:
        grows = False
        for index, (_, item) in enumerate(items):
            meant = item.names & needed or any(name.startswith(tuple(pasted)) for name in item.names)
            if index not in kept and (not item.names or meant):
                kept.add(index)
                needed |= item.uses
                pasted += item.pasted
                grows = True
    chosen = [items[index] for index in sorted(kept)]
    left = [_without_empty([item for owner, item in chosen if owner == number]) for number in range(len(texts))]
    return ["\n\n".join(item.text for item in part) + "\n" for part in left if any(item.uses for item in part)]


def _items(text: str) -> Iterator[_Item]:
    """Split at blank lines behind which something begins in the first column, between macros, around conditions."""
    lines: list[str] = []
    for line in [*text.splitlines(), "", "end"]:
        directive = _DIRECTIVE.match(line) is not None
        ended = not lines or not lines[-1] or lines[-1].startswith("}")
        behind_an_item = ended or directive or (line.startswith("#define") and _is_macro(lines))
        if line and not line[0].isspace() and behind_an_item and not _unclosed(lines):
            yield from _item(lines)
            lines = []
            if directive:
                yield from _item([line])
                continue
        lines.append(line)


def _unclosed(lines: list[str]) -> bool:
    """Whether lines stop within braces or within a macro."""
    code = _COMMENT.sub("", "\n".join(lines))
    return code.count("{") != code.count("}") or code.rstrip(" ").endswith("\\")


def _is_macro(lines: list[str]) -> bool:
    return _COMMENT.sub("", "\n".join(lines)).lstrip().startswith("#define")


def _item(lines: list[str]) -> Iterator[_Item]:
    text = "\n".join(lines).strip("\n")
    if not text:
        return
    code = _COMMENT.sub("", text).strip()
    directive = _DIRECTIVE.match(code)
    names = frozenset() if directive else _names(code)
    pasted = tuple(re.findall(r"(\w+_)##", code))
    yield _Item(text, names, frozenset(_identifiers(code)), pasted, directive.group(1) if directive else None)


def _names(code: str) -> frozenset[str]:
    """What a piece of C defines; empty where that is not plain to see."""
    macro = re.match(r"#define (\w+)", code)
    if macro:
        return frozenset(macro.groups())
    if code.startswith("typedef"):
        return frozenset(re.findall(r"\}\s*(\w+);$", code) or re.findall(r"^typedef [\w ]*?(\w+);$", code))
    invoked = re.match(r"[A-Z][A-Z0-9_]*\(\s*(\w+)", code)
    if invoked:
        return frozenset(invoked.groups())
    code = re.sub(r"__attribute__\(\(.*?\)\)+", "", code).replace("EK_IN_ORDER", "static")
    defined = re.match(r"static\b[^(=;{]*?\b(\w+)\s*(?:\(|\[|=)", code)
    return frozenset(defined.groups()) if defined else frozenset()


def _without_empty(items: list[_Item]) -> list[_Item]:
    """Leave out conditions that enclose nothing any more."""
    done: list[_Item] = []
    for item in items:
        done.append(item)
        if item.directive != "endif":
            continue
        opening = len(done) - 1
        while opening > 0 and (done[opening].directive or "").startswith(("endif", "el")):
            opening -= 1
        if (done[opening].directive or "").startswith("if"):
            del done[opening:]
    return done


def _identifiers(code: str) -> list[str]:
    return re.findall(r"\b[A-Za-z_]\w*", _COMMENT.sub("", code))
