"""DEPTHWISE_CONV_2D 3x3. Twins: firmware/engine/depthwise_conv_2d_3x3_{int4,clustered}_*_s8.dsp.h."""

from __future__ import annotations

from edgekit.engine import packings
from edgekit.engine.cores.dsp import depthwise_conv_2d
from edgekit.engine.cores.dsp._scaling import Scaling, scaling
from edgekit.engine.cores.dsp._strip import channel_scales, tap_blocks
from edgekit.engine.lowered import Lowered
from edgekit.engine.ops import _linear
from edgekit.engine.ops._convolution import rows_read
from edgekit.engine.ops._linear import Linear
from edgekit.engine.options import EngineOptions
from edgekit.engine.packings import Packed
from edgekit.tflite.graph import Graph, Op

_PACKINGS = ("int4", "clustered")


def candidates(graph: Graph, op: Op, options: EngineOptions) -> tuple[Lowered, ...]:  # noqa: ARG001
    """Lower what the kernels of dense weights take, int4 too."""
    layer = _linear.linear(graph, op)
    weights = depthwise_conv_2d.window_of(layer)
    if weights is None or layer.kernel_suffix != "s8":
        return ()
    scale = scaling(layer, weights.reshape(9, -1).T)
    if scale is None:
        return ()
    found, blocks = [], tap_blocks(weights)
    for name in _PACKINGS:
        packed = packings.packed_as(name, blocks.reshape(-1), blocks.shape[1])
        if packed is not None:
            found.append(_lowered(layer, scale, packed, blocks.size))
    return tuple(found)


def _lowered(layer: Linear, scale: Scaling, packed: Packed, weights: int) -> Lowered:
    return Lowered(
        kernel=f"depthwise_conv_2d_3x3_{packed.name}_{depthwise_conv_2d.variant(layer)}_s8.dsp",
        fields=depthwise_conv_2d.fields(layer, scale, packed),
        constants=(*packed.constants, *channel_scales(scale)),
        inputs=(layer.op.inputs[0],),
        output=layer.op.outputs[0],
        scratch_bytes=depthwise_conv_2d.scratch_bytes(layer, wide_weights=False),
        rows_read=(rows_read(layer, 3),),
        form=packed.name,
        entries=weights * layer.output.shape[1],
    )
