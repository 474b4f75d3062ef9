/* An output that was known while building. Twin: edgekit/engine/ops/_constant.py. */
#ifndef EK_CONSTANT_H
#define EK_CONSTANT_H

#include "rows.h"

#include <stdint.h>
#include <string.h>

typedef struct {
  const void *values; /* (rows, row_bytes) */
} ek_constant_layer;

/* output: (rows, row_bytes). */
static inline void ek_constant(const ek_constant_layer *layer, ek_rows output, int32_t row_begin,
                               int32_t row_end) {
  for (int32_t y = row_begin; y < row_end; ++y) {
    memcpy(ek_row(output, y), (const int8_t *)layer->values + y * output.row_bytes, (size_t)output.row_bytes);
  }
}

#endif
