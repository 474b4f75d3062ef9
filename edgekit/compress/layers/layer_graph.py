"""Who feeds whom in a functional or sequential model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras


@dataclass(frozen=True, slots=True, eq=False)
class LayerGraph:
    """The layers of one model; a nested model counts as one layer.

    Attributes:
        layers: in the order of computation, each once.
        sources: layer's id -> the layers that it reads, call by call.
        readers: layer's id -> the layers that read it; None stands for the model's output.
        inputs: the tensors that come in.
        outputs: layer's id -> what its last call gives; a layer's own `output` may belong to another graph.
    """

    layers: tuple[Any, ...]
    sources: dict[int, tuple[Any, ...]]
    readers: dict[int, tuple[Any, ...]]
    inputs: tuple[Any, ...]
    outputs: dict[int, Any]

    def only_reader(self, layer: Any) -> Any:
        """Return the layer that alone reads another; None where there are several, or the model's output does."""
        readers = self.readers[id(layer)]
        return readers[0] if len(readers) == 1 else None


def is_graph(layer: Any) -> bool:
    """Say whether a layer is a functional or sequential model."""
    return isinstance(layer, keras.Sequential) or hasattr(layer, "_operations_by_depth")


def layer_graph(model: Any) -> LayerGraph:
    """Return the graph of a built functional or sequential model."""
    graph = model._functional if isinstance(model, keras.Sequential) else model
    nodes = [node for depth in sorted(graph._nodes_by_depth, reverse=True) for node in graph._nodes_by_depth[depth]]
    sources: dict[int, tuple[Any, ...]] = {}
    readers: dict[int, tuple[Any, ...]] = {id(node.operation): () for node in nodes}
    for node in nodes:
        read = tuple(tensor._keras_history.operation for tensor in node.input_tensors) if not node.is_input else ()
        sources[id(node.operation)] = (*sources.get(id(node.operation), ()), *read)
        for source in read:
            readers[id(source)] = (*readers[id(source)], node.operation)
    for tensor in graph.outputs:
        source = tensor._keras_history.operation
        readers[id(source)] = (*readers[id(source)], None)
    layers = tuple({id(node.operation): node.operation for node in nodes}.values())
    outputs = {id(node.operation): node.outputs[0] for node in nodes}
    return LayerGraph(layers, sources, readers, tuple(graph.inputs), outputs)


def graphs_of(model: Any) -> list[LayerGraph]:
    """Return the graph of a model and those of the models nested in it."""
    own = layer_graph(model)
    return [own, *(inner for layer in own.layers if is_graph(layer) for inner in graphs_of(layer))]
