"""What binds an emitted model to the firmware harness."""

from __future__ import annotations

from collections.abc import Sequence

from edgekit.engine.aot_header import title
from edgekit.engine.c_integrity import ADD
from edgekit.engine.naming import c_string
from edgekit.engine.program import Program

# The harness has no camera: what the host sent lies in a buffer of its own, and the model asks for it row by row.
_STREAMED = """\
/* The input that the host sent, handed over row by row. */
static uint8_t ek_received[{macro}_INPUT_BYTES];

static inline void ek_read_row(void *context, int32_t row, int8_t *to) {{
  (void)context;
  memcpy(to, ek_received + row * {macro}_INPUT_ROW_BYTES, {macro}_INPUT_ROW_BYTES);
}}

static inline int ek_model_invoke(uint8_t *arena) {{
  {stem}_invoke(arena, ek_read_row, NULL);
  return 0;
}}

static inline ek_span ek_model_input(uint8_t *arena, uint32_t index) {{
  (void)arena;
  (void)index;
  const ek_span span = {{ek_received, {macro}_INPUT_BYTES}};
  return span;
}}
"""
_WHOLE = """\
static inline int ek_model_invoke(uint8_t *arena) {{
  {stem}_invoke(arena);
  return 0;
}}
"""
_START = """\
static inline int ek_model_init(uint8_t *arena) {{
  {stem}_init(arena);
  return 0;
}}

/* The harness measures independent inferences: states start anew before each. */
static inline void ek_model_reset(uint8_t *arena) {{
  {stem}_init(arena);
}}

#define EK_MODEL_CONSTANTS_CRC {macro}_CONSTANTS_CRC

static inline uint32_t ek_model_constants_crc({add}) {{
  return {stem}_constants_crc(add);
}}
"""


def binding(made: Program, stem: str) -> str:
    """Return `ek_model.h`, which binds the model to the firmware harness."""
    names = {"macro": stem.upper(), "stem": stem, "add": ADD}
    macro, graph = stem.upper(), made.graph
    streams = made.options.stream_input
    return "\n".join(
        [
            title(made, stem),
            "/* Binds the model to the firmware harness. */",
            f'#ifndef EK_MODEL_H\n#define EK_MODEL_H\n\n#include "model.h"\n#include "{stem}.h"\n',
            *(["#include <string.h>\n"] if streams else []),
            f"#define EK_MODEL_NAME {c_string(stem)}\n#define EK_MODEL_SHA256 {macro}_MODEL_SHA256",
            '#define EK_ENGINE "aot"',
            f"#define EK_ARENA_BYTES {macro}_ARENA_BYTES\n#define EK_ENGINE_BYTES 0",
            f"#define EK_INPUT_COUNT {len(graph.inputs)}\n#define EK_OUTPUT_COUNT {len(graph.outputs)}\n",
            _START.format(**names),
            (_STREAMED if streams else _WHOLE).format(**names),
            *([] if streams else [_spans(made, "input", graph.inputs)]),
            _spans(made, "output", graph.outputs),
            "#endif\n",
        ]
    )


def _spans(made: Program, role: str, indices: Sequence[int]) -> str:
    spans = ", ".join(f"{{{made.memory.offsets[index]}, {made.graph.tensors[index].size_bytes}}}" for index in indices)
    return (
        f"static inline ek_span ek_model_{role}(uint8_t *arena, uint32_t index) {{\n"
        f"  static const uint32_t spans[{len(indices)}][2] = {{{spans}}}; /* offset, bytes */\n"
        "  const ek_span span = {arena + spans[index][0], spans[index][1]};\n"
        "  return span;\n"
        "}\n"
    )
