"""The public functions of an emitted model: what prepares the arena, and one inference."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from edgekit.engine.c_layers import rows_text, shape_text
from edgekit.engine.program import Program
from edgekit.engine.types import STREAMED, Step

_PER_LINE = 32
# As many steps are told faster one by one than by a table.
_FEW_STEPS = 8


@dataclass(frozen=True, slots=True)
class _Walk:
    """How one layer covers its rows: block by block, upwards, or downwards where `descending`.

    The last block may be shorter than `block`.
    """

    layer: int
    rows: int
    block: int
    descending: bool

    def steps(self) -> Iterator[Step]:
        """Yield the steps in order."""
        for begin in range(0, self.rows, self.block):
            end = min(begin + self.block, self.rows)
            yield Step(self.layer, *((self.rows - end, self.rows - begin) if self.descending else (begin, end)))


def functions(made: Program, stem: str) -> list[str]:
    """Return the C of `<stem>_init`, of what `<stem>_invoke` needs, and of `<stem>_invoke`."""
    parts = [_init(made, stem)]
    if made.options.stream_input:
        parts.append(_take_rows(made, stem))
    body: list[str] = []
    for section in sections(made.schedule.steps):
        walks = _walks(section)
        if len(section) <= (2 if len(walks) == 1 else _FEW_STEPS) or not walks:
            body += [_call(made, step) for step in section]
            continue
        if len(walks) == 1:
            body += _loop(made, walks[0])
            continue
        ops = [made.lowered[walk.layer].op for walk in walks if walk.layer != STREAMED]
        name = f"layers_{min(ops)}_to_{max(ops)}" if len(ops) > 1 else f"layers_{ops[0]}_streamed"
        parts.append(_turns(made, stem, section, walks, name))
        body.append(f"  {name}({_arguments(any(walk.layer == STREAMED for walk in walks))});")
    if not body:
        body.append("  (void)arena; /* the model only renames its input */")
    return [*parts, "\n".join([f"void {stem}_invoke({invoke_parameters(made, stem)}) {{", *body, "}", ""])]


def invoke_parameters(made: Program, stem: str) -> str:
    """Return the parameters of `<stem>_invoke` as C declares them."""
    return f"uint8_t *arena, {stem}_read_row read_row, void *context" if made.options.stream_input else "uint8_t *arena"


def sections(steps: Sequence[Step]) -> list[tuple[Step, ...]]:
    """Cut a schedule wherever all layers that began are done.

    Example:
        >>> turns = [Step(0, 0, 9), Step(1, 0, 1), Step(2, 0, 1), Step(1, 1, 2), Step(3, 0, 5)]
        >>> [len(section) for section in sections(turns)]
        [1, 3, 1]
    """
    last = {step.layer: index for index, step in enumerate(steps)}
    found: list[tuple[Step, ...]] = []
    begin = end = 0
    for index, step in enumerate(steps):
        end = max(end, last[step.layer])
        if index == end:
            found.append(tuple(steps[begin : index + 1]))
            begin = index + 1
    return found


def _walks(section: Sequence[Step]) -> list[_Walk]:
    """How each layer of a section walks its rows, in the order in which they begin; none where one does otherwise,
    or where they are more than a byte can tell apart."""
    walks = []
    for layer in dict.fromkeys(step.layer for step in section):
        own = [step for step in section if step.layer == layer]
        first = own[0]
        rows = max(step.row_end for step in own)
        walk = _Walk(layer, rows, first.row_end - first.row_begin, descending=first.row_begin != 0)
        if list(walk.steps()) != own:
            return []
        walks.append(walk)
    return walks if len(walks) <= 256 else []


def _name(made: Program, layer: int) -> str:
    return "input_rows" if layer == STREAMED else made.lowered[layer].name


def _arguments(takes_rows: bool) -> str:
    return "arena, read_row, context" if takes_rows else "arena"


def _call(made: Program, step: Step) -> str:
    arguments = _arguments(step.layer == STREAMED)
    return f"  {_name(made, step.layer)}({arguments}, {step.row_begin}, {step.row_end});"


def _loop(made: Program, walk: _Walk) -> list[str]:
    """A loop over the blocks of a layer that nothing interrupts."""
    call = f"{_name(made, walk.layer)}({_arguments(walk.layer == STREAMED)}"
    whole = walk.rows % walk.block == 0
    if walk.descending:
        begin = f"end - {walk.block}" if whole else f"end > {walk.block} ? end - {walk.block} : 0"
        loop, span = f"for (int32_t end = {walk.rows}; end > 0; end -= {walk.block})", f"{begin}, end"
    else:
        more = f"begin + {walk.block}"
        end = more if whole else f"{more} < {walk.rows} ? {more} : {walk.rows}"
        loop, span = f"for (int32_t begin = 0; begin < {walk.rows}; begin += {walk.block})", f"begin, {end}"
    return [f"  {loop} {{", f"    {call}, {span});", "  }"]


def _turns(made: Program, stem: str, section: Sequence[Step], walks: Sequence[_Walk], name: str) -> str:
    """A function in which layers take turns, as a table says."""
    place = {walk.layer: number for number, walk in enumerate(walks)}
    assert len(walks) <= 256, "a turn is a byte"
    turns = [place[step.layer] for step in section]
    streams = STREAMED in place
    parameters = invoke_parameters(made, stem) if streams else "uint8_t *arena"
    kind = "int16_t" if max(walk.rows for walk in walks) < 1 << 15 else "int32_t"
    rows = ", ".join(str(walk.rows) for walk in walks)
    blocks = ", ".join(str(walk.block) for walk in walks)
    lines = [
        "/* Layers take turns, each for a few rows, so that only rows which are still to be read are kept. */",
        f"static void {name}({parameters}) {{",
        f"  static const uint8_t turns[{len(turns)}] = {{",
        *(f"    {', '.join(map(str, turns[start : start + _PER_LINE]))}," for start in range(0, len(turns), _PER_LINE)),
        "  };",
        f"  static const {kind} rows[{len(walks)}] = {{{rows}}};   /* of each layer */",
        f"  static const {kind} blocks[{len(walks)}] = {{{blocks}}}; /* rows of a turn; of the last one, those left */",
        f"  int32_t done[{len(walks)}] = {{0}};",
        f"  for (int32_t turn = 0; turn < {len(turns)}; ++turn) {{",
        "    const int32_t layer = turns[turn];",
        "    const int32_t begin = done[layer];",
        "    const int32_t left = rows[layer] - begin;",
        "    const int32_t end = begin + (left < blocks[layer] ? left : blocks[layer]);",
        "    done[layer] = end;",
        "    switch (layer) {",
        *_cases(made, walks),
        "    }",
        "  }",
        "}",
        "",
    ]
    return "\n".join(lines)


def _cases(made: Program, walks: Sequence[_Walk]) -> list[str]:
    cases = []
    for number, walk in enumerate(walks):
        span = f"{walk.rows} - end, {walk.rows} - begin" if walk.descending else "begin, end"
        cases += [
            f"    case {number}:",
            f"      {_name(made, walk.layer)}({_arguments(walk.layer == STREAMED)}, {span});",
            "      break;",
        ]
    cases[-3] = "    default:"
    return cases


def _take_rows(made: Program, stem: str) -> str:
    """The function that asks the application for rows of the input."""
    (index,) = made.graph.inputs
    return "\n".join(
        [
            f"/* Rows of the input, {shape_text(made.graph.tensors[index])}, from the application. */",
            f"static void input_rows(uint8_t *arena, {stem}_read_row read_row, void *context, int32_t row_begin,",
            "                      int32_t row_end) {",
            f"  const ek_rows input = {rows_text(made, index)}",
            "  for (int32_t y = row_begin; y < row_end; ++y) {",
            "    read_row(context, y, ek_row(input, y));",
            "  }",
            "}",
            "",
        ]
    )


def _init(made: Program, stem: str) -> str:
    lines = [f"void {stem}_init(uint8_t *arena) {{"]
    for index in made.states:
        tensor = made.graph.tensors[index]
        zero = tensor.quant.zero_point[0] if tensor.quant is not None and tensor.dtype == "int8" else 0
        comment = f"/* {shape_text(tensor)} */"
        lines.append(f"  memset(arena + {made.memory.offsets[index]}, {zero}, {tensor.size_bytes}); {comment}")
    if not made.states:
        lines.append("  (void)arena; /* nothing is kept from one inference to the next */")
    return "\n".join([*lines, "}", ""])
