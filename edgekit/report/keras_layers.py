"""The layers of a Keras model; runs in the TensorFlow child process only."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def layers(request: dict[str, Any], progress: Any = None) -> dict[str, Any]:  # noqa: ARG001
    """Describe the layers of the model at `request["model"]`.

    Returns:
        `rows`: the fields of `inspection.Row`, one entry a layer; `sparsity`: fraction of zeros in all weights.
    """
    import numpy as np

    from edgekit.tflite.keras_models import load

    model = load(Path(request["model"]))
    rows, zeros, elements = [], 0, 0
    for index, layer in enumerate(model.layers):
        arrays = [np.asarray(weight) for weight in layer.get_weights()]
        # What a technique would prune: kernels, not biases nor statistics.
        kernels = [array for array in arrays if array.ndim > 1]
        size = sum(array.size for array in kernels)
        empty = size - sum(int(np.count_nonzero(array)) for array in kernels)
        zeros, elements = zeros + empty, elements + size
        shape = layer.output.shape if hasattr(layer, "output") else ()
        rows.append(
            {
                "index": index,
                "operator": f"{type(layer).__name__} {layer.name}",
                "shape": [0 if extent is None else int(extent) for extent in shape],
                "dtype": str(layer.compute_dtype),
                "macs": None,
                "constants_bytes": sum(array.nbytes for array in arrays),
                "sparsity": empty / size if size else None,
            }
        )
    return {"rows": rows, "sparsity": zeros / elements if elements else None}
