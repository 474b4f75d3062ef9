/* SOFTMAX over the last axis, int8 in, int8 out (scale 1/256, zero point -128).
 * Twin: edgekit/engine/ops/softmax.py. Qm numbers have m integer bits. */
#ifndef EK_SOFTMAX_S8_H
#define EK_SOFTMAX_S8_H

#include "fixed_point.h"
#include "requantize.h"
#include "rows.h"

typedef struct {
  int32_t row_elements; /* softmax vectors in a row, one behind the other, of depth elements each */
  int32_t depth;
  int32_t multiplier; /* beta * input scale in Q5, as multiplier * 2^(shift - 31) */
  int32_t shift;
  int32_t difference_min; /* below it exp is zero */
} ek_softmax_s8_layer;

/* exp of one difference to the largest input, Q0. */
static inline int32_t ek_softmax_exp(const ek_softmax_s8_layer *layer, int32_t difference) {
  return ek_exp_negative(ek_requantize(difference, layer->multiplier, layer->shift));
}

/* input: (depth). */
static inline int32_t ek_softmax_largest(const ek_softmax_s8_layer *layer, const int8_t *input) {
  int32_t largest = INT8_MIN;
  for (int32_t i = 0; i < layer->depth; ++i) {
    largest = input[i] > largest ? input[i] : largest;
  }
  return largest;
}

/* Sum of all exp, Q12. */
static inline int32_t ek_softmax_sum(const ek_softmax_s8_layer *layer, const int8_t *input, int32_t largest) {
  int32_t sum = 0;
  for (int32_t i = 0; i < layer->depth; ++i) {
    if (input[i] - largest >= layer->difference_min) {
      sum += ek_divide_by_power(ek_softmax_exp(layer, input[i] - largest), 12);
    }
  }
  return sum;
}

/* One vector. input, output: (depth). */
static inline void ek_softmax_vector(const ek_softmax_s8_layer *layer, const int8_t *input, int8_t *output) {
  const int32_t largest = ek_softmax_largest(layer, input);
  const int32_t sum = ek_softmax_sum(layer, input, largest);
  const int32_t headroom = ek_leading_zeros((uint32_t)sum);
  const int32_t scale = ek_reciprocal((int32_t)(((uint32_t)sum << headroom) - 0x80000000u));
  const int32_t exponent = 12 - headroom + 31 - 8;
  for (int32_t i = 0; i < layer->depth; ++i) {
    output[i] = INT8_MIN;
    /* A sum of 512 and more leaves every share below half a step. */
    if (exponent <= 31 && input[i] - largest >= layer->difference_min) {
      const int32_t share = ek_multiply_high(scale, ek_softmax_exp(layer, input[i] - largest));
      output[i] = ek_clamp(ek_divide_by_power(share, exponent) + INT8_MIN, INT8_MIN, INT8_MAX);
    }
  }
}

/* input, output: (rows, row_elements). */
static inline void ek_softmax_s8(const ek_softmax_s8_layer *layer, ek_rows input, ek_rows output,
                                 int32_t row_begin, int32_t row_end) {
  for (int32_t y = row_begin; y < row_end; ++y) {
    for (int32_t start = 0; start < layer->row_elements; start += layer->depth) {
      ek_softmax_vector(layer, ek_row(input, y) + start, ek_row(output, y) + start);
    }
  }
}

#endif
