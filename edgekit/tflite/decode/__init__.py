"""Weights that stay compressed in flash, and that TensorFlow Lite Micro's operator DECODE expands while it runs.

A layer's int8 weights become two constants of bytes, codes and an ancillary table, and an operator in front of the
layer makes the weights from them, in the arena. `forms` holds the two forms of the bytes, `encode` writes them into a
model, `expand` takes them out again for whoever has no such operator: LiteRT, and the aot engine.

Source:
    TensorFlow Lite Micro: micro/kernels/decode.cc, decode_state_lut.cc, decode_state_prune.cc.
"""

OPERATOR = "TFLM_DECODE"
# How `graph.Op.kind` spells it.
KIND = f"CUSTOM:{OPERATOR}"
