"""Emitted sources of a model that is no network: 16 bytes in, the same bytes changed by a table out."""

from __future__ import annotations

import binascii
import shutil
from pathlib import Path, PurePosixPath

import numpy as np

from edgekit.engine.types import Sources
from edgekit.firmware_files import firmware_path

INPUT_BYTES = 16
_HARNESS = Path(__file__).parent.parent / "firmware_fakes"

_MODEL = """\
#include "{stem}.h"
static const int8_t layer_0_table[{table}] = {{{values}}};
static inline int32_t halve(int32_t x) {{ return x >> 1; }}
uint32_t {stem}_constants_crc(uint32_t (*add)(uint32_t crc, const uint8_t *data, uint32_t bytes)) {{
  return add(0, (const uint8_t *)layer_0_table, {table}u);
}}
void {stem}_invoke(uint8_t *arena) {{
  for (uint32_t pass = 0; pass < {passes}u; ++pass) {{
    for (uint32_t i = 0; i < {size}u; ++i) {{
      const int64_t product = (int64_t)layer_0_table[(arena[i] * 31u + i) % {table}u] * (int32_t)(arena[i] + pass);
      arena[{size}u + i] = (uint8_t)halve((int32_t)(product / 3));
    }}
  }}
}}
"""
_HEADER = """\
#ifndef FAKE_H
#define FAKE_H
#include <stdint.h>
void {stem}_invoke(uint8_t *arena);
uint32_t {stem}_constants_crc(uint32_t (*add)(uint32_t crc, const uint8_t *data, uint32_t bytes));
#endif
"""
_BINDING = """\
#ifndef EK_MODEL_H
#define EK_MODEL_H
#include "model.h"
#include "{stem}.h"
#define EK_MODEL_NAME "{stem}"
#define EK_MODEL_SHA256 "{sha256}"
#define EK_ENGINE "aot"
#define EK_ARENA_BYTES {arena}
#define EK_ENGINE_BYTES 0
#define EK_INPUT_COUNT 1
#define EK_OUTPUT_COUNT 1
#define EK_MODEL_CONSTANTS_CRC {crc}u
static inline uint32_t ek_model_constants_crc(uint32_t (*add)(uint32_t crc, const uint8_t *data, uint32_t bytes)) {{
  return {stem}_constants_crc(add);
}}
static inline int ek_model_init(uint8_t *arena) {{ (void)arena; return 0; }}
static inline void ek_model_reset(uint8_t *arena) {{ (void)arena; }}
static inline int ek_model_invoke(uint8_t *arena) {{ {stem}_invoke(arena); return 0; }}
static inline ek_span ek_model_input(uint8_t *arena, uint32_t index) {{
  const ek_span span = {{arena + index, {size}}};
  return span;
}}
static inline ek_span ek_model_output(uint8_t *arena, uint32_t index) {{
  const ek_span span = {{arena + {size} + index, {size}}};
  return span;
}}
#endif
"""


def table(size: int) -> list[int]:
    """The constants of the model: every int8 value, in no simple order."""
    return [(index * 73 + index // 256 + 19) % 256 - 128 for index in range(size)]


def fake_sources(
    stem: str = "fake", *, table_bytes: int = 1009, arena_bytes: int = 64, passes: int = 1, extra: str = ""
) -> Sources:
    """Sources with `table_bytes` of weights; `passes` sets how long an inference takes; `extra` is appended C."""
    values = ",".join(map(str, table(table_bytes)))
    facts = {"stem": stem, "size": INPUT_BYTES, "arena": arena_bytes, "table": table_bytes, "passes": passes}
    texts = {f"{stem}.c": _MODEL, f"{stem}.h": _HEADER, "ek_model.h": _BINDING}
    crc = binascii.crc32(np.array(table(table_bytes), np.int8).tobytes())
    known = {**facts, "values": values, "sha256": "ab" * 32, "crc": crc}
    files = {PurePosixPath(name): text.format(**known) for name, text in texts.items()}
    files[PurePosixPath(f"{stem}.c")] += extra
    return Sources(
        stem=stem,
        files=files,
        engine="aot",
        model_sha256="ab" * 32,
        arena_bytes=arena_bytes,
        weights_bytes=table_bytes,
        flash_bytes_read=table_bytes,
        input_bytes=INPUT_BYTES,
        output_bytes=INPUT_BYTES,
    )


def expected_output(inputs: bytes, *, table_bytes: int = 1009, passes: int = 1) -> bytes:
    """What the model answers, computed here."""
    weights = table(table_bytes)
    result = []
    for index, value in enumerate(inputs):
        product = weights[(value * 31 + index) % table_bytes] * (value + passes - 1)
        third = abs(product) // 3 * (-1 if product < 0 else 1)
        result.append((third >> 1) % 256)
    return bytes(result)


def fake_harness(folder: Path) -> Path:
    """Copy the test application and the real port interface into a folder."""
    shutil.copytree(_HARNESS, folder, dirs_exist_ok=True)
    shutil.copy(firmware_path("harness", "port.h"), folder)
    return folder
