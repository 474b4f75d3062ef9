"""Which form each layer's weights are stored in, by what matters most.

Speed and RAM: fewest predicted instructions. Flash: fewest bytes of constants and of the kernels' code, over the
whole model. Balanced: neither more bytes nor more instructions than dense weights take, and as little of both as can
be. What a form is said to take is raised by what predictions were wrong by, so that dense weights win where it is
close. No form of less than dense's speed is tried where neither zeros nor few values promise any.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from edgekit.engine import costs, forms, packings
from edgekit.engine.lowered import Lowered
from edgekit.engine.options import EngineOptions, Optimize
from edgekit.tflite.graph import Graph, Op

# Below these no form saves what its kernel takes, but for its bytes.
_LEAST_ZEROS = 0.1
_MOST_VALUES = 16
# How the weight of the one or the other grows until a balanced choice is no worse than dense in both.
_GROWTH, _STEPS = 1.25, 60
# Of a kernel that was not measured, where none was; by how much one may be larger in this model than measured.
_CODE_BYTES, _CODE_MARGIN = 4096, 0.1
# What the settings of a layer take besides, if its weights have a form.
_SETTINGS_BYTES = 32
# Of instructions, where only bytes matter, and the other way round: what decides between equals.
_TIE = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class Stored:
    """A layer with its weights in one form.

    Attributes:
        lowered: the layer.
        bytes: of its constants.
        instructions: of one inference, as predicted; None where its kernel was not measured on such a core.
        margin: what the prediction may be too low by, relative.
    """

    lowered: Lowered
    bytes: int
    instructions: int | None
    margin: float = 0.0

    @property
    def form(self) -> str:
        """Name of the form."""
        return self.lowered.form

    @property
    def flash(self) -> int:
        """Bytes of constants and of what the settings take besides those of dense weights."""
        return self.bytes + (_SETTINGS_BYTES if self.form != forms.DENSE else 0)

    @property
    def careful(self) -> float:
        """Instructions, raised by the margin."""
        return float("inf") if self.instructions is None else self.instructions * (1 + self.margin)


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """What was chosen for a layer.

    Attributes:
        stored: how its weights are stored.
        dense: how dense weights would be; of weights of 4 bits that may not be widened, how those would be.
        others: every form that could hold them, dense among them.
        why: in words.
    """

    stored: Stored
    dense: Stored
    others: tuple[Stored, ...]
    why: str


@dataclass(frozen=True, slots=True)
class _Weights:
    """What a byte and an instruction count in what is minimized."""

    byte: float
    instruction: float

    def of(self, stored: Stored) -> float:
        counted = self.instruction * stored.careful if self.instruction else 0.0
        return self.byte * stored.flash + counted


def choices(
    graph: Graph, dense: Sequence[Lowered], options: EngineOptions, scratch: Mapping[int, int] | None = None
) -> tuple[Choice, ...]:
    """Choose a form for each layer whose weights a form may hold.

    Args:
        graph: the model.
        dense: its layers with dense weights.
        options: what matters most; with a form, that one wherever it can serve.
        scratch: the most bytes of work memory, by operator; None: any.
    """
    parts = [item.op for item in dense]
    layers = [
        _no_wider(graph, list(_stored(graph, item, options, scratch)), options)
        for item in dense
        if graph.ops[item.op].kind in costs.KINDS and parts.count(item.op) == 1
    ]
    if options.form is not None:
        taken = [next((place for place, one in enumerate(layer) if one.form == options.form), 0) for layer in layers]
        return tuple(
            Choice(layer[place], layer[0], tuple(layer), _why_forced(layer[place], options.form))
            for layer, place in zip(layers, taken, strict=True)
        )
    taken = _best(layers, options)
    return tuple(
        Choice(layer[place], layer[0], tuple(layer), _why(layer, layer[place]))
        for layer, place in zip(layers, taken, strict=True)
    )


def with_choices(dense: Sequence[Lowered], chosen: Sequence[Choice]) -> tuple[Lowered, ...]:
    """Return the layers in the forms that were chosen."""
    by_op = {choice.stored.lowered.op: choice.stored.lowered for choice in chosen}
    return tuple(by_op.get(item.op, item) for item in dense)


def _stored(
    graph: Graph, dense: Lowered, options: EngineOptions, scratch: Mapping[int, int] | None
) -> Iterator[Stored]:
    """Dense weights first, then every form that may be chosen."""
    first = _cost(graph, dense, options, 0.0)
    yield first
    if not _promises(graph, graph.ops[dense.op], options):
        return
    known = costs.kernels(options.features)
    of_dense = known[dense.kernel].error if dense.kernel in known else 0.0
    limit = None if scratch is None else scratch.get(dense.op, 0)
    for item in forms.candidates(graph, graph.ops[dense.op], options):
        if limit is not None and (item.scratch_bytes or 0) > limit and not _stays(graph, item, options):
            continue
        # Rows that come one after another unpack a unit for a few pixels of one row.
        streams = options.form is None and options.may_stream and item.form in packings.names()
        if streams and not _stays(graph, item, options):
            continue
        yield _cost(graph, dataclasses.replace(item, op=dense.op, name=dense.name), options, of_dense)


def _stays(graph: Graph, item: Lowered, options: EngineOptions) -> bool:
    """Whether a form keeps weights of 4 bits from being widened; see `_no_wider`."""
    op = next(op for op in graph.ops if op.outputs[0] == item.output)
    return item.form == "int4" and graph.tensors[op.inputs[1]].dtype == "int4" and not options.wide_weights


def _no_wider(graph: Graph, layer: list[Stored], options: EngineOptions) -> list[Stored]:
    """Weights of 4 bits in the file stay so, unless speed or RAM matter most: then dense is 4 bits or less."""
    weights = graph.tensors[graph.ops[layer[0].lowered.op].inputs[1]]
    packed = [one for one in layer if one.form == "int4"]
    if weights.dtype != "int4" or options.wide_weights or options.form is not None or not packed:
        return layer
    first = min(packed, key=lambda one: one.careful)
    return [first, *(one for one in layer if one is not first and one.bytes <= first.bytes)]


def _cost(graph: Graph, item: Lowered, options: EngineOptions, margin: float) -> Stored:
    known = costs.kernels(options.features).get(item.kernel)
    size = sum(constant.values.nbytes for constant in item.constants)
    own = known.error if known is not None and item.form != forms.DENSE else 0.0
    return Stored(item, size, costs.instructions(graph, item, options.features), margin + own)


def _promises(graph: Graph, op: Op, options: EngineOptions) -> bool:
    """Whether forms are worth a try: packing large weights takes its time."""
    data = graph.tensors[op.inputs[1]].data
    if data is None or options.form == forms.DENSE:
        return False
    if options.form is not None or options.optimize is Optimize.FLASH:
        return True
    return bool(np.mean(data == 0) > _LEAST_ZEROS) or len(np.unique(data)) <= _MOST_VALUES


def _best(layers: list[list[Stored]], options: EngineOptions) -> list[int]:
    """The place of the form that each layer takes."""

    known = costs.kernels(options.features)
    of_dense = {layer[0].lowered.kernel for layer in layers}
    largest = max((cost.code_bytes for cost in known.values()), default=_CODE_BYTES)

    def code(kernel: str) -> int:
        if kernel in of_dense:
            return known[kernel].code_bytes if kernel in known else 0
        return round((1 + _CODE_MARGIN) * (known[kernel].code_bytes if kernel in known else largest))

    if options.optimize is Optimize.FLASH:
        return _cheapest(layers, _Weights(1.0, 0.0), code)
    if options.optimize is not Optimize.BALANCED:
        return _cheapest(layers, _Weights(_TIE, 1.0), code)
    return _balanced(layers, code)


def _balanced(layers: list[list[Stored]], code: Callable[[str], int]) -> list[int]:
    dense = [0] * len(layers)
    bytes_then, instructions_then = _sum(layers, dense, code)
    if not bytes_then or not instructions_then:
        return dense
    of_bytes, of_instructions = 1 / bytes_then, 1 / instructions_then
    for _ in range(_STEPS):
        taken = _cheapest(layers, _Weights(of_bytes, of_instructions), code)
        bytes_now, instructions_now = _sum(layers, taken, code)
        if bytes_now <= bytes_then and instructions_now <= instructions_then:
            return taken
        if bytes_now > bytes_then:
            of_bytes *= _GROWTH
        if instructions_now > instructions_then:
            of_instructions *= _GROWTH
    return dense


def _sum(layers: list[list[Stored]], taken: list[int], code: Callable[[str], int]) -> tuple[int, float]:
    """Bytes of constants and code, and instructions of the layers whose dense kernels were measured."""
    chosen = [layer[place] for layer, place in zip(layers, taken, strict=True)]
    kernels = {one.lowered.kernel for one in chosen}
    known = [one.careful for layer, one in zip(layers, chosen, strict=True) if layer[0].instructions is not None]
    return sum(one.flash for one in chosen) + sum(map(code, sorted(kernels))), sum(known)


def _cheapest(layers: list[list[Stored]], weights: _Weights, code: Callable[[str], int]) -> list[int]:
    """Minimize bytes and instructions, the code of the kernels that are used among them.

    Each layer takes what is best for it among the kernels that are allowed; from all kernels, and from those of dense
    weights alone, one more kernel or one less is tried as long as that pays.
    """
    of_dense = frozenset(layer[0].lowered.kernel for layer in layers)
    every = frozenset(one.lowered.kernel for layer in layers for one in layer)

    def taken(allowed: frozenset[str]) -> list[int]:
        return [_place(layer, weights, allowed) for layer in layers]

    def cost(allowed: frozenset[str]) -> float:
        chosen = [layer[place] for layer, place in zip(layers, taken(allowed), strict=True)]
        kernels = {one.lowered.kernel for one in chosen}
        return sum(map(weights.of, chosen)) + weights.byte * sum(map(code, sorted(kernels)))

    found = []
    for allowed in (every, of_dense):
        now = cost(allowed)
        while True:
            tried = {allowed ^ {kernel}: cost(allowed ^ {kernel}) for kernel in sorted(every)}
            better = min(tried, key=lambda each: tried[each], default=allowed)
            if not tried or tried[better] >= now:
                break
            allowed, now = better, tried[better]
        found.append((now, allowed))
    return taken(min(found, key=lambda each: each[0])[1])


def _place(layer: list[Stored], weights: _Weights, allowed: frozenset[str]) -> int:
    """The best of a layer's forms among kernels that are allowed; dense where none is, or where none was measured."""
    unknown = weights.instruction > 0 and layer[0].instructions is None
    may = [place for place, one in enumerate(layer) if one.lowered.kernel in allowed] if not unknown else []

    def order(place: int) -> tuple[float, float, int]:
        return weights.of(layer[place]), layer[place].careful, place

    return min(may, key=order, default=0)


def _why(layer: list[Stored], chosen: Stored) -> str:
    dense, *others = layer
    if chosen is not dense:
        return f"{_against(chosen, dense)} against dense"
    if not others:
        return "no form holds these weights in fewer bytes or saves work"
    smallest = min(others, key=lambda one: one.bytes)
    fastest = min(others, key=lambda one: one.careful)
    told = {one.form: f"{one.form}: {_against(one, dense)}" for one in (smallest, fastest)}
    return f"nothing pays: {'; '.join(told.values())}"


def _why_forced(chosen: Stored, form: str) -> str:
    if chosen.form == form:
        return "asked for"
    return f"{form} was asked for: no kernel of this core holds these weights so"


def _against(one: Stored, dense: Stored) -> str:
    told = [f"{100 * (one.bytes / max(dense.bytes, 1) - 1):+.0f} % bytes"]
    if one.instructions is None or not dense.instructions:
        told.append("instructions unknown")
    else:
        told.append(f"{100 * (one.instructions / dense.instructions - 1):+.0f} % instructions")
    return ", ".join(told).replace("-", "−")
