/* CAST between int8, int16, int32, and from bool. Twin: edgekit/engine/ops/cast.py. */
#ifndef EK_CAST_H
#define EK_CAST_H

#include "integers.h"
#include "rows.h"

typedef struct {
  int32_t row_elements;
  int32_t input_bytes; /* of an element */
  int32_t output_bytes;
} ek_cast_layer;

/* input, output: (rows, row_elements). */
static inline void ek_cast(const ek_cast_layer *layer, ek_rows input, ek_rows output, int32_t row_begin,
                           int32_t row_end) {
  for (int32_t y = row_begin; y < row_end; ++y) {
    const int8_t *x = ek_row(input, y);
    int8_t *out = ek_row(output, y);
    for (int32_t i = 0; i < layer->row_elements; ++i) {
      ek_store(out, i, layer->output_bytes, ek_load(x, i, layer->input_bytes));
    }
  }
}

#endif
