/* SOFTMAX over the last axis, int16 in and out (scale 1/32768, zero point 0), by two tables.
 * Twin: edgekit/engine/ops/softmax.py. */
#ifndef EK_SOFTMAX_S16_H
#define EK_SOFTMAX_S16_H

#include "fixed_point.h"
#include "lookup_s16.h"
#include "requantize.h"
#include "requantize_s16.h"
#include "rows.h"

typedef struct {
  int32_t row_elements; /* softmax vectors in a row, one behind the other, of depth elements each */
  int32_t depth;
  int32_t multiplier; /* brings a difference of inputs to steps of 10 / 65535 */
  int32_t shift;
  const int16_t *exp_table;        /* (513): exp of -10 to 0, Q0.15 */
  const int16_t *reciprocal_table; /* (513): 1 / (1 + x) for x from 0 to 1, Q0.15 */
} ek_softmax_s16_layer;

/* One vector. input, output: (depth). The output first holds the exp of each difference to the largest input.
 */
static inline void ek_softmax_vector_s16(const ek_softmax_s16_layer *layer, const int16_t *input,
                                         int16_t *output) {
  int32_t largest = INT16_MIN;
  for (int32_t i = 0; i < layer->depth; ++i) {
    largest = input[i] > largest ? input[i] : largest;
  }
  int32_t sum = 0; /* Q16.15 */
  for (int32_t i = 0; i < layer->depth; ++i) {
    const int32_t scaled = ek_requantize(input[i] - largest, layer->multiplier, layer->shift);
    output[i] = ek_lookup_s16(layer->exp_table, ek_clamp_s16(scaled + INT16_MAX, INT16_MIN, INT16_MAX));
    sum += output[i];
  }
  /* sum * 2^headroom lies between 1 and 2, in Q16. */
  const int32_t headroom = ek_leading_zeros((uint32_t)sum) - 1;
  const int32_t shifted = (int32_t)((((int64_t)sum << headroom) + (1 << 13)) >> 14);
  const int32_t centered = ek_clamp_s16(shifted - (1 << 16) - (1 << 15), INT16_MIN, INT16_MAX);
  const int32_t reciprocal = ek_lookup_s16(layer->reciprocal_table, centered);
  const int32_t right = 30 - headroom;
  for (int32_t i = 0; i < layer->depth; ++i) {
    const int64_t share = ((int64_t)output[i] * reciprocal + (1 << (right - 1))) >> right;
    output[i] = ek_clamp_s16((int32_t)share, 0, INT16_MAX);
  }
}

/* input, output: (rows, row_elements). */
static inline void ek_softmax_s16(const ek_softmax_s16_layer *layer, ek_rows input, ek_rows output,
                                  int32_t row_begin, int32_t row_end) {
  for (int32_t y = row_begin; y < row_end; ++y) {
    const int16_t *from = (const int16_t *)(const void *)ek_row(input, y);
    int16_t *to = (int16_t *)(void *)ek_row(output, y);
    for (int32_t start = 0; start < layer->row_elements; start += layer->depth) {
      ek_softmax_vector_s16(layer, from + start, to + start);
    }
  }
}

#endif
