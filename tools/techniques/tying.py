"""Weight tying of a language model with a vocabulary of 30,000."""

from __future__ import annotations

from _row import Figure, Row, at_least, at_most, main

WORDS, DEPTH, LENGTH = 30_000, 500, 8
# More than this would not be the same.
_DB_APART = 0.5


def run() -> Row:
    """Tie a model of random weights, and compare the int8 files of both."""
    import keras
    import numpy as np

    from edgekit.compress.frame.cost import parameters, to_int8
    from edgekit.compress.tie import Tie
    from edgekit.data import Data
    from edgekit.tflite import graph, interpreters
    from edgekit.tflite.interpreters import Interpreter
    from edgekit.tflite.quantize import dequantize_output

    keras.utils.set_random_seed(0)
    ids = np.random.default_rng(0).integers(0, WORDS, (128, LENGTH)).astype(np.float32)
    data = Data(ids)
    inputs = keras.Input((LENGTH,), dtype="int32")
    x = keras.layers.GlobalAveragePooling1D()(keras.layers.Embedding(WORDS, DEPTH)(inputs))
    x = keras.layers.Dense(DEPTH, "relu", use_bias=False)(x)
    untied = keras.Model(inputs, keras.layers.Dense(WORDS, use_bias=False)(x))
    tied = Tie(epochs=0).apply(untied, data).model

    def measured(model: keras.Model) -> tuple[int, float]:
        flatbuffer = to_int8(model, data)
        samples = tuple(row.tobytes() for row in ids.astype(np.int32))
        answer = interpreters.run(flatbuffer, samples, Interpreter.LITERT_REFERENCE)
        given = dequantize_output(graph.parse(flatbuffer), answer.outputs)
        wanted = model.predict(ids, verbose=0)
        return len(flatbuffer), float(10 * np.log10((wanted**2).sum() / ((wanted - given) ** 2).sum()))

    (untied_bytes, untied_db), (tied_bytes, tied_db) = measured(untied), measured(tied)
    return Row(
        claim="tying halves a language model of 30 million parameters, in its int8 file too",
        figures=(
            Figure("parameters, untied", parameters(untied), "= 30,250,000", parameters(untied) == 30_250_000),
            Figure("parameters, tied", parameters(tied), "= 15,250,000", parameters(tied) == 15_250_000),
            Figure("int8 file, untied, bytes", untied_bytes),
            at_most("int8 file, tied, bytes", tied_bytes, 15_300_000),
            Figure("SQNR of the int8 outputs, untied, dB", round(untied_db, 2)),
            at_least("SQNR of the int8 outputs, tied, dB", round(tied_db, 2), round(untied_db - _DB_APART, 2)),
        ),
        note=f"random weights, {len(ids)} random inputs of {LENGTH} words; {WORDS:,} words x {DEPTH}, a hidden layer; "
        f"SQNR is the same where it is less than {_DB_APART} dB lower",
    )


if __name__ == "__main__":
    main(run)
