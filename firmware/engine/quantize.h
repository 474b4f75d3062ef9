/* QUANTIZE: from one integer type and scale to another. Twin: edgekit/engine/ops/quantize.py. */
#ifndef EK_QUANTIZE_H
#define EK_QUANTIZE_H

#include "binary.h"
#include "integers.h"
#include "requantize.h"
#include "rows.h"

typedef struct {
  int32_t row_elements;
  int32_t input_bytes; /* of an element */
  int32_t output_bytes;
  int32_t input_zero_point;
  int32_t multiplier;
  int32_t shift;
  int32_t output_zero_point;
  int32_t lowest;
  int32_t highest;
} ek_quantize_layer;

/* input, output: (rows, row_elements). */
static inline void ek_quantize(const ek_quantize_layer *layer, ek_rows input, ek_rows output,
                               int32_t row_begin, int32_t row_end) {
  for (int32_t y = row_begin; y < row_end; ++y) {
    const int8_t *x = ek_row(input, y);
    int8_t *out = ek_row(output, y);
    for (int32_t i = 0; i < layer->row_elements; ++i) {
      const int32_t value = ek_load(x, i, layer->input_bytes) - layer->input_zero_point;
      const int32_t scaled = ek_requantize(value, layer->multiplier, layer->shift) + layer->output_zero_point;
      ek_store(out, i, layer->output_bytes, ek_limit(scaled, layer->lowest, layer->highest));
    }
  }
}

#endif
