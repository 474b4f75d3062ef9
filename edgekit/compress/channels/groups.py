"""The walk through a model that finds its groups of channels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import keras

from edgekit.compress.channels.channels import Call, Channels, Cut, Ids, Rule, positions, weight_names, width
from edgekit.compress.channels.joints import OPERATIONS, WEIGHTLESS, is_elementwise
from edgekit.compress.channels.rules import WEIGHTED
from edgekit.errors import ModelError, UnknownNameError


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """One layer of a model and how it follows its channels.

    Attributes:
        path: its name, after the names of the nested models around it: `encoder/conv`.
        layer: the layer.
        cut: how it follows.
        positions: how often each kernel weight is applied to one sample.
    """

    path: str
    layer: Any
    cut: Cut
    positions: int


class Graph:
    """The channels of a model.

    Args:
        model: a functional or Sequential model, built.
        leave_out: names of layers (or nested models) whose output channels stay.
        rules: by class name, in place of those of `_channel_rules`; for what may change the other channels' values.

    Raises:
        ModelError: a subclassed model, whose graph is not known.
        UnknownNameError: `leave_out` names a layer that is not there.

    Attributes:
        parts: the layers that follow channels, by path, in the order of the graph.
        channels: the groups.
    """

    def __init__(
        self, model: keras.Model, leave_out: tuple[str, ...] = (), rules: Mapping[str, Rule] | None = None
    ) -> None:
        inner = functional(model)
        if inner is None:
            raise ModelError(
                f"model {model.name!r} is a subclassed model: which layer feeds which is not known",
                hint="build it with the functional API (keras.Model(inputs, outputs)) or as keras.Sequential",
            )
        self.channels = Channels()
        self.parts: dict[str, Part] = {}
        self._first: dict[int, tuple[tuple[Ids, ...], Part]] = {}
        self._left_out = _left_out(model, leave_out)
        self._rules = {**WEIGHTED, **WEIGHTLESS, **(rules or {})}
        inputs = [self.channels.frozen(width(tensor.shape), "the model's input") for tensor in inner.inputs]
        for ids in self._walk(inner, inputs, ""):
            self.channels.freeze(ids, "the model's output", above_all=True)

    def _walk(self, model: Any, inputs: list[Ids], prefix: str) -> list[Ids]:
        """Go through one (nested) model in the order in which it computes."""
        known = {id(tensor): ids for tensor, ids in zip(model.inputs, inputs, strict=True)}
        for depth in sorted(model._nodes_by_depth, reverse=True):
            for node in model._nodes_by_depth[depth]:
                if node.is_input:
                    self._enter(node, known, prefix)
                    continue
                taken = tuple(known[id(tensor)] for tensor in node.input_tensors)
                given = self._visit(node, taken, prefix)
                known.update({id(tensor): ids for tensor, ids in zip(node.outputs, given, strict=True)})
        return [known[id(tensor)] for tensor in model.outputs]

    def _enter(self, node: Any, known: dict[int, Ids], prefix: str) -> None:
        """The input of a nested model has a shape of its own to follow."""
        if prefix:
            call = _call(node, (known[id(node.outputs[0])],), self.channels)
            self._follow(prefix + node.operation.name, call, WEIGHTLESS["InputLayer"])

    def _visit(self, node: Any, taken: tuple[Ids, ...], prefix: str) -> list[Ids]:
        """Find the channels of a node's outputs."""
        layer = node.operation
        path = prefix + layer.name
        inner = functional(layer)
        if inner is not None:
            given = self._walk(inner, list(taken), f"{path}/")
        else:
            call = _call(node, taken, self.channels)
            reason, rule = _rule(layer, self._rules)
            cut = call.freeze(reason) if rule is None else self._follow(path, call, rule)
            if len(node.outputs) > 1:
                call.freeze("a layer with several outputs")
            given = [cut.output, *(self.channels.frozen(width(t.shape), reason) for t in node.outputs[1:])]
        if path in self._left_out:
            for ids in given:
                self.channels.freeze(ids, "left out")
        return given

    def _follow(self, path: str, call: Call, rule: Rule) -> Cut:
        """Apply a rule; a layer that is called again must be cut as the first time."""
        layer = call.layer
        if id(layer) in self._first:
            inputs, part = self._first[id(layer)]
            for first, again in zip(inputs, call.inputs, strict=True):
                self.channels.unite(first, again)
            self.parts.setdefault(path, replace(part, path=path))
            return part.cut
        cut = rule(call)
        if not is_elementwise(getattr(layer, "activation", None)):
            self.channels.freeze(cut.output, f"the activation of {layer.name} may look at several channels at a time")
        names = set(weight_names(layer))
        if not names <= set(cut.weights):
            return call.freeze(
                f"{layer.name} has weights without a rule: {', '.join(sorted(names - set(cut.weights)))}"
            )
        if cut.weights or cut.sizes:
            applied = positions(call.output_shape) if cut.positions is None else cut.positions
            self.parts[path] = Part(path, layer, cut, applied)
            self._first[id(layer)] = call.inputs, self.parts[path]
        return cut


def functional(model: Any) -> Any:
    """Return the functional graph of a functional or Sequential model; None for anything else."""
    inner = getattr(model, "_functional", model) if isinstance(model, keras.Sequential) else model
    return inner if hasattr(inner, "_nodes_by_depth") and hasattr(inner, "inputs") else None


def _call(node: Any, taken: tuple[Ids, ...], channels: Channels) -> Call:
    arguments = (*node.arguments.args, *node.arguments.kwargs.values())
    return Call(
        layer=node.operation,
        inputs=taken,
        input_shapes=tuple(tuple(tensor.shape) for tensor in node.input_tensors),
        output_shape=tuple(node.outputs[0].shape),
        constants=tuple(value for value in arguments if not isinstance(value, keras.KerasTensor | list | tuple | bool)),
        channels=channels,
    )


def _rule(layer: Any, rules: Mapping[str, Rule]) -> tuple[str, Rule | None]:
    """Find the rule of a layer or operation, or the reason why there is none."""
    kind = type(layer)
    table = rules if isinstance(layer, keras.layers.Layer) else OPERATIONS
    if not kind.__module__.startswith("keras."):
        return f"{layer.name} is a layer of the user's own ({kind.__name__})", None
    if getattr(layer, "data_format", None) == "channels_first":
        return f"{layer.name} has its channels first", None
    return f"no rule for {kind.__name__} ({layer.name})", table.get(kind.__name__)


def _left_out(model: Any, names: tuple[str, ...]) -> set[str]:
    """Return the paths that the names mean: a name alone stands for every layer that bears it."""
    by_path = {path: layer.name for path, layer in layers_of(model)}
    known = {*by_path, *by_path.values()}
    for name in names:
        if name not in known:
            raise UnknownNameError("layer", name, known)
    return {path for path, name in by_path.items() if path in names or name in names}


def layers_of(model: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Go through the layers of a model with their paths; nested models come before what is in them."""
    for layer in model.layers:
        yield prefix + layer.name, layer
        if functional(layer) is not None:
            yield from layers_of(layer, f"{prefix}{layer.name}/")
