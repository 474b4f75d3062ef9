/* L2_NORMALIZATION over the last axis, int8 in, int8 out (scale 1/128, zero point 0).
 * Twin: edgekit/engine/ops/l2_normalization.py. */
#ifndef EK_L2_NORMALIZATION_S8_H
#define EK_L2_NORMALIZATION_S8_H

#include "inverse_root.h"
#include "requantize.h"
#include "rows.h"

typedef struct {
  int32_t row_elements; /* vectors in a row, one behind the other, of depth elements each */
  int32_t depth;
  int32_t input_zero_point;
} ek_l2_normalization_s8_layer;

/* One vector. input, output: (depth). */
static inline void ek_l2_vector(const ek_l2_normalization_s8_layer *layer, const int8_t *input,
                                int8_t *output) {
  int32_t sum = 0;
  for (int32_t i = 0; i < layer->depth; ++i) {
    const int32_t value = input[i] - layer->input_zero_point;
    sum += value * value;
  }
  const ek_factor factor = ek_inverse_root(sum);
  for (int32_t i = 0; i < layer->depth; ++i) {
    const int32_t value = input[i] - layer->input_zero_point;
    output[i] = ek_clamp(ek_requantize(value, factor.multiplier, factor.shift + 7), INT8_MIN, INT8_MAX);
  }
}

/* input, output: (rows, row_elements). */
static inline void ek_l2_normalization_s8(const ek_l2_normalization_s8_layer *layer, ek_rows input,
                                          ek_rows output, int32_t row_begin, int32_t row_end) {
  for (int32_t y = row_begin; y < row_end; ++y) {
    for (int32_t start = 0; start < layer->row_elements; start += layer->depth) {
      ek_l2_vector(layer, ek_row(input, y) + start, ek_row(output, y) + start);
    }
  }
}

#endif
