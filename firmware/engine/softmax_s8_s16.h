/* SOFTMAX over the last axis, int8 in, int16 out (scale 1/65536, zero point -32768).
 * Twin: edgekit/engine/ops/softmax.py. */
#ifndef EK_SOFTMAX_S8_S16_H
#define EK_SOFTMAX_S8_S16_H

#include "requantize_s16.h"
#include "softmax_s8.h"

typedef ek_softmax_s8_layer ek_softmax_s8_s16_layer;

/* One vector. input, output: (depth). */
static inline void ek_softmax_vector_s8_s16(const ek_softmax_s8_s16_layer *layer, const int8_t *input,
                                            int16_t *output) {
  const int32_t largest = ek_softmax_largest(layer, input);
  const int32_t sum = ek_softmax_sum(layer, input, largest);
  const int32_t headroom = ek_leading_zeros((uint32_t)sum);
  const int32_t scale = ek_reciprocal((int32_t)(((uint32_t)sum << headroom) - 0x80000000u));
  const int32_t exponent = 12 - headroom + 31 - 16;
  for (int32_t i = 0; i < layer->depth; ++i) {
    output[i] = INT16_MIN;
    if (input[i] - largest >= layer->difference_min) {
      const int32_t share = ek_multiply_high(scale, ek_softmax_exp(layer, input[i] - largest));
      const int32_t shifted = ek_divide_by_power(share, exponent) + INT16_MIN;
      output[i] = ek_clamp_s16(shifted, INT16_MIN, INT16_MAX);
    }
  }
}

/* input, output: (rows, row_elements). */
static inline void ek_softmax_s8_s16(const ek_softmax_s8_s16_layer *layer, ek_rows input, ek_rows output,
                                     int32_t row_begin, int32_t row_end) {
  for (int32_t y = row_begin; y < row_end; ++y) {
    const int8_t *from = ek_row(input, y);
    int16_t *to = (int16_t *)(void *)ek_row(output, y);
    for (int32_t start = 0; start < layer->row_elements; start += layer->depth) {
      ek_softmax_vector_s8_s16(layer, from + start, to + start);
    }
  }
}

#endif
