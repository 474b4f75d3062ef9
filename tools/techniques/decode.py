"""Pruned and clustered weights in TensorFlow Lite Micro: both forms of its operator DECODE."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from _row import Figure, Row, at_least, main

SPARSITY, CLUSTERS, SAMPLES, CLASSES = 0.9, 16, 100, 10
_FEWEST_BYTES = 500_000


def run() -> Row:
    """Prune and cluster MobileNetV1, encode its weights, and let TFLM judge."""
    import keras
    import numpy as np

    from edgekit.compress.cluster import Cluster
    from edgekit.compress.layers.recalibrate import recalibrate
    from edgekit.compress.prune import Prune
    from edgekit.data import Data

    keras.utils.set_random_seed(0)
    x = np.random.default_rng(0).normal(size=(64, 96, 96, 3)).astype(np.float32)
    data = Data(x)
    model = keras.applications.MobileNet((96, 96, 3), alpha=0.5, weights=None, classes=CLASSES, dropout=0.0)
    pruned = Prune(sparsity=SPARSITY, epochs=0).apply(model, data)
    # Statistics of random weights: without them every activation would be the same.
    recalibrate(pruned.model, x, 32)
    recalibrate(model, x, 32)
    clustered = Cluster(clusters=CLUSTERS, epochs=0).apply(model, data)
    figures = []
    for form, applied in (("pruned", pruned), ("look-up table", clustered)):
        figures += _figures(form, applied, data, least=2.8 if form == "pruned" else 1.7)
    return Row(
        claim=f"pruned weights in TFLM: a {SPARSITY:.0%}-sparse model is 2.8 times smaller than dense int8, bit-equal",
        figures=tuple(figures),
        note=f"MobileNetV1 0.5 at 96 x 96, random weights, statistics measured: sizes and bits alone are shown; "
        f"{SPARSITY:.0%} of the weights of each layer but the depthwise ones are zero, or have {CLUSTERS} values a "
        "tensor; dense is the file that edgekit convert writes, shrunk what lossless shrinking makes of it; "
        "the arena is that of TFLM's host interpreter, with pointers of 64 bits",
    )


def _figures(form: str, applied: Any, data: Any, least: float) -> list[Figure]:
    from edgekit.build_options import BuildOptions
    from edgekit.compress.frame.cost import to_int8
    from edgekit.single_stages import shrink_model
    from edgekit.tflite.quantization_plan import QuantizationPlan
    from edgekit.tflite.shrink import ShrinkOptions

    dense = to_int8(applied.model, data, applied.plan or QuantizationPlan())
    options = BuildOptions(cached=False)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "dense.tflite"
        path.write_bytes(dense)
        certificate = shrink_model(
            path,
            out=Path(folder) / "encoded.tflite",
            options=options,
            shrinking=ShrinkOptions(decode=True),
            samples=SAMPLES,
        ).certificate
    # The pass in front of the last one left the losslessly shrunk file.
    shrunk, encoded = (result.bytes_after for result in certificate.passes[-2:])
    tflm = [verdict for verdict in certificate.verdicts if verdict.engine.startswith("TFLM")]
    equal = bool(tflm) and tflm[0].equal is True
    return [
        Figure(f"{form}: dense int8 file, bytes", len(dense), f"≥ {_FEWEST_BYTES:,}", len(dense) >= _FEWEST_BYTES),
        Figure(f"{form}: the same shrunk losslessly, bytes", shrunk),
        Figure(f"{form}: with DECODE, bytes", encoded),
        at_least(f"{form}: times smaller than dense", round(len(dense) / encoded, 2), least),
        at_least(f"{form}: times smaller than shrunk", round(shrunk / encoded, 2), least),
        Figure(f"{form}: TFLM, {certificate.samples} inputs", "equal" if equal else "unequal", "equal", equal),
        Figure(f"{form}: TFLM's arena, bytes", f"{certificate.tflm_arena_before:,} → {certificate.tflm_arena_after:,}"),
    ]


if __name__ == "__main__":
    main(run)
