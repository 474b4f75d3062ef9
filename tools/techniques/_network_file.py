"""Networks as int8 .tflite, written with the schema: to convert VGG-16 would take ten gigabytes of memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

from edgekit.tflite import flatbuffer
from edgekit.tflite.rewrite._edit import Editor

_RELU = 1
# Scales of the activations: any will do, as nothing here depends on them.
_SCALE = 0.05
IMAGE = (1, 224, 224, 3)


def pruned(kernel: NDArray[np.float32], sparsity: float) -> NDArray[np.float32]:
    """Return a kernel whose smallest weights are 0: as the technique does, but without the sort that decides between
    equal weights."""
    magnitudes = np.abs(kernel).reshape(-1)
    place = round(sparsity * kernel.size)
    magnitudes.partition(place)
    return np.where(np.abs(kernel) < magnitudes[place], np.float32(0), kernel)


def int8_network(kernels: Iterable[tuple[str, NDArray[np.float32]]], shape: tuple[int, ...] = IMAGE) -> bytes:
    """Return the file; a scale for each output channel, biases of random numbers, a ReLU behind each layer.

    Args:
        kernels: (name of the layer, weights) as Keras has them, in the order of the layers; behind the convolutions
            that VGG-16 pools behind, by their names, it pools.
        shape: of the input.
    """
    model, subgraph = schema.ModelT(), schema.SubGraphT()
    model.version, model.operatorCodes, model.buffers, model.subgraphs = 3, [], [schema.BufferT()], [subgraph]
    subgraph.tensors, subgraph.operators, subgraph.inputs, subgraph.outputs = [], [], [0], [0]
    editor = Editor(model)
    last = _activation(editor, shape)
    for name, kernel in kernels:
        if kernel.ndim == 2 and len(shape) == 4:
            shape = (1, int(np.prod(shape)))
            last = _add(editor, "RESHAPE", [last, _constant(editor, np.array(shape, np.int32))], shape, None)
        shape = (*shape[:-1], kernel.shape[-1])
        kind = "CONV_2D" if kernel.ndim == 4 else "FULLY_CONNECTED"
        last = _add(editor, kind, [last, *_weights(editor, name, kernel)], shape, _options(kernel.ndim))
        if name in ("block1_conv2", "block2_conv2", *(f"block{block}_conv3" for block in (3, 4, 5))):
            shape = (1, shape[1] // 2, shape[2] // 2, shape[3])
            last = _add(editor, "MAX_POOL_2D", [last], shape, _pool())
    subgraph.outputs = [last]
    editor.commit()
    return flatbuffer.pack(model)


def quantized(rows: NDArray[np.float32]) -> Iterator[tuple[NDArray[np.int8], float]]:
    """Yield each output channel's codes and its scale."""
    for row in rows:
        # A channel that pruning left nothing of has any scale.
        scale = float(np.abs(row).max() / 127) or 1.0
        yield np.rint(row / scale).astype(np.int8), scale


def _weights(editor: Editor, name: str, kernel: NDArray[np.float32]) -> tuple[int, int]:
    rows = kernel.reshape(-1, kernel.shape[-1]).T
    codes, scales = np.empty(rows.shape, np.int8), np.empty(len(rows), np.float32)
    for channel, (values, scale) in enumerate(quantized(rows)):
        codes[channel], scales[channel] = values, scale
    weights = _constant(editor, codes.reshape(kernel.shape[-1], *kernel.shape[:-1]), scales)
    bias = np.random.default_rng(len(rows)).integers(-1000, 1000, len(rows)).astype(np.int32)
    editor.tensors[weights].name = name.encode()
    return weights, _constant(editor, bias, scales * np.float32(_SCALE))


def _constant(editor: Editor, values: NDArray[Any], scales: NDArray[np.float32] | None = None) -> int:
    made = editor.add_tensor("", values.shape, values.dtype.name.upper(), scale=(1.0, 0), data=values)
    quantization = editor.tensors[made].quantization
    if scales is None:
        editor.tensors[made].quantization = None
    else:
        quantization.scale, quantization.zeroPoint = scales, np.zeros(len(scales), np.int64)
    return made


def _activation(editor: Editor, shape: tuple[int, ...]) -> int:
    return editor.add_tensor("", shape, "INT8", scale=(_SCALE, 0))


def _add(editor: Editor, kind: str, inputs: list[int], shape: tuple[int, ...], options: Any) -> int:
    output = _activation(editor, shape)
    editor.operators.append(editor.operator(kind, inputs, [output], options))
    return output


def _options(rank: int) -> Any:
    options = schema.Conv2DOptionsT() if rank == 4 else schema.FullyConnectedOptionsT()
    options.fusedActivationFunction = _RELU
    if rank == 4:
        options.strideH = options.strideW = options.dilationHFactor = options.dilationWFactor = 1
    return options


def _pool() -> Any:
    options = schema.Pool2DOptionsT()
    options.filterHeight = options.filterWidth = options.strideH = options.strideW = 2
    return options
