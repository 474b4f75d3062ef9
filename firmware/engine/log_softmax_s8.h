/* LOG_SOFTMAX over the last axis, int8 in, int8 out (scale 1/16, zero point 127).
 * Twin: edgekit/engine/ops/log_softmax.py. */
#ifndef EK_LOG_SOFTMAX_S8_H
#define EK_LOG_SOFTMAX_S8_H

#include "fixed_point_log.h"
#include "softmax_s8.h"

typedef struct {
  ek_softmax_s8_layer softmax;
  int32_t inverse_multiplier; /* from Q5 to input steps */
  int32_t inverse_shift;
} ek_log_softmax_s8_layer;

/* One vector. input, output: (depth). */
static inline void ek_log_softmax_vector(const ek_log_softmax_s8_layer *layer, const int8_t *input,
                                         int8_t *output) {
  const ek_softmax_s8_layer *softmax = &layer->softmax;
  const int32_t largest = ek_softmax_largest(softmax, input);
  const int32_t log_sum = ek_log(ek_softmax_sum(softmax, input, largest)); /* Q5 */
  const int32_t representable =
      ek_requantize(log_sum + INT32_MIN, layer->inverse_multiplier, layer->inverse_shift);
  const int32_t below = softmax->difference_min - 1;
  const int32_t limit = representable > below ? representable : below;
  for (int32_t i = 0; i < softmax->depth; ++i) {
    const int32_t difference = input[i] - largest;
    output[i] = INT8_MIN;
    if (difference > limit) {
      const int32_t scaled = ek_requantize(difference, softmax->multiplier, softmax->shift);
      output[i] = ek_clamp(ek_divide_by_power(scaled - log_sum, 22) + INT8_MAX, INT8_MIN, INT8_MAX);
    }
  }
}

/* input, output: (rows, row_elements). */
static inline void ek_log_softmax_s8(const ek_log_softmax_s8_layer *layer, ek_rows input, ek_rows output,
                                     int32_t row_begin, int32_t row_end) {
  for (int32_t y = row_begin; y < row_end; ++y) {
    for (int32_t start = 0; start < layer->softmax.row_elements; start += layer->softmax.depth) {
      ek_log_softmax_vector(layer, ek_row(input, y) + start, ek_row(output, y) + start);
    }
  }
}

#endif
