"""Blocks that a network can do without: residual branches, and layers that keep the shape of their input."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import keras

from edgekit.compress.channels.groups import functional

# What belongs to the layer in front of it and goes with it.
_FOLLOWERS = ("BatchNormalization", "Activation", "ReLU", "LeakyReLU", "PReLU", "ELU", "Dropout", "SpatialDropout2D")
_SUMS = ("Add", "CustomScaleLayer")


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """A part of the graph whose output may be replaced by its input.

    Attributes:
        name: of the layer, or of the Add at the end of a residual branch.
        output: the tensor that is no longer computed.
        stands_in: the tensor of the same shape that takes its place.
    """

    name: str
    output: Any
    stands_in: Any


def blocks(model: keras.Model) -> tuple[list[Block], list[tuple[str, str]]]:
    """Find what can be left out.

    Args:
        model: a built functional or Sequential model; nested models count as one layer.

    Returns:
        The blocks in the order of the graph, and (name, reason) of sums that are no residual blocks.
    """
    graph = functional(model)
    nodes = list(nodes_of(graph))
    outputs = {id(tensor) for tensor in graph.outputs}
    found, skipped = [], []
    for node in nodes:
        if type(node.operation).__name__ in _SUMS:
            start = _residual_input(node)
            if start is None:
                skipped.append((node.operation.name, "neither of its inputs is computed from the other"))
            else:
                found.append(Block(node.operation.name, node.outputs[0], start))
        elif _keeps_shape(node):
            end = _with_followers(node, nodes)
            if id(end) not in outputs:
                found.append(Block(node.operation.name, end, node.input_tensors[0]))
    return found, skipped


def without(model: keras.Model, block: Block) -> keras.Model:
    """Build a model without a block; its layers are those of the model, not copies.

    Args:
        model: a functional or Sequential model; gets no new weights, but its layers are called once more.
        block: one of `blocks(model)`.

    Returns:
        A model of the same name; a Sequential one stays Sequential. Layers that nothing needs any more are gone.
    """
    graph = functional(model)
    tensors = {id(tensor): tensor for tensor in graph.inputs}
    for node in nodes_of(graph):
        if node.outputs[0] is block.output:
            tensors[id(block.output)] = tensors[id(block.stands_in)]
            continue
        arguments, keywords = node.arguments.fill_in(tensors)
        made = keras.tree.flatten(node.operation(*arguments, **keywords))
        tensors.update({id(old): new for old, new in zip(node.outputs, made, strict=True)})
    shorter = keras.Model(graph.inputs, [tensors[id(tensor)] for tensor in graph.outputs], name=model.name)
    if isinstance(model, keras.Sequential):
        return keras.Sequential(shorter.layers, name=model.name)
    # One output comes as it was, not as a list of one.
    structure = keras.tree.pack_sequence_as(model._outputs_struct, shorter.outputs)
    return keras.Model(model._inputs_struct, structure, name=model.name)


def nodes_of(graph: Any) -> Iterator[Any]:
    """Go through the calls of a functional graph in the order in which it computes."""
    for depth in sorted(graph._nodes_by_depth, reverse=True):
        for node in graph._nodes_by_depth[depth]:
            if not node.is_input:
                yield node


def _residual_input(node: Any) -> Any:
    """Return the input of a sum that its other input is computed from; None where there is none."""
    if len(node.input_tensors) != 2 or node.input_tensors[0].shape != node.input_tensors[1].shape:
        return None
    for start, end in (node.input_tensors, node.input_tensors[::-1]):
        if start is not end and any(start is tensor for tensor in _ancestors(end)):
            return start
    return None


def _ancestors(tensor: Any) -> list[Any]:
    """Return everything that a tensor is computed from."""
    found: dict[int, Any] = {}
    waiting = [tensor]
    while waiting:
        history = waiting.pop()._keras_history
        for source in history.operation._inbound_nodes[history.node_index].input_tensors:
            if id(source) not in found:
                found[id(source)] = source
                waiting.append(source)
    return list(found.values())


def _keeps_shape(node: Any) -> bool:
    """True for a layer with a kernel that gives what it takes."""
    if len(node.input_tensors) != 1 or len(node.outputs) != 1:
        return False
    has_kernel = any(variable.name.endswith("kernel") for variable in getattr(node.operation, "weights", ()))
    return has_kernel and node.input_tensors[0].shape == node.outputs[0].shape


def _with_followers(node: Any, nodes: list[Any]) -> Any:
    """Return the tensor behind a layer and behind the normalization and activation that belong to it."""
    end = node.outputs[0]
    while True:
        consumers = [other for other in nodes if any(tensor is end for tensor in other.input_tensors)]
        if len(consumers) != 1 or type(consumers[0].operation).__name__ not in _FOLLOWERS:
            return end
        end = consumers[0].outputs[0]
