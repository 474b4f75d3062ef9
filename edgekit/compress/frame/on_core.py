"""What engine aot would make of a Keras model on a core: layer by layer, its form of weights, bytes, instructions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgekit import targets
from edgekit.compress.frame.conversion import to_int8
from edgekit.compress.frame.step import LayerOnCore
from edgekit.engine import costs
from edgekit.engine.options import EngineOptions
from edgekit.engine.program import program
from edgekit.errors import EdgeKitError
from edgekit.tflite.graph import parse
from edgekit.tflite.quantization_plan import QuantizationPlan

if TYPE_CHECKING:
    import keras

    from edgekit.data import Data


def layers_on_core(
    model: keras.Model, data: Data, target: str, plan: QuantizationPlan = QuantizationPlan()
) -> tuple[LayerOnCore, ...]:
    """Convert a model and lower it for a core, as a build of it would.

    Args:
        model: a built model with one input.
        data: its x_train calibrates.
        target: name of the core.
        plan: what was decided on quantization.

    Returns:
        Its layers in the order of the flatbuffer's operators; none where it cannot be converted, or where the engine
        has no kernel for it.
    """
    features = targets.load(target).features
    try:
        made = program(parse(to_int8(model, data, plan)), EngineOptions(features))
    except EdgeKitError:
        return ()
    return tuple(
        LayerOnCore(
            layer.name,
            layer.form,
            sum(constant.values.nbytes for constant in layer.constants),
            costs.instructions(made.graph, layer, features),
        )
        for layer in made.lowered
    )


def told(layers: tuple[LayerOnCore, ...]) -> str:
    """Sum up in a few words the layers whose instructions are predicted: those with weights.

    Example:
        >>> told((LayerOnCore("a", "dense", 1000, 20_000), LayerOnCore("b", "blocks", 500, 5_000)))
        '1,500 B of constants, 25,000 instructions'
    """
    if not layers:
        return "not to be had"
    counted = [layer.instructions for layer in layers if layer.instructions is not None]
    instructions = f", {sum(counted):,} instructions" if counted else ""
    return f"{sum(layer.constants_bytes for layer in layers):,} B of constants{instructions}"
