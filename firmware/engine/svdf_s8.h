/* SVDF, int8 activations and feature weights, int16 state and time weights, int32 bias.
 * Twin: edgekit/engine/ops/svdf.py.
 *
 * A filter sees the input once, remembers the last `memory` results, and weighs them; a unit adds up the
 * results of `rank` filters. */
#ifndef EK_SVDF_S8_H
#define EK_SVDF_S8_H

#include "requantize.h"
#include "requantize_s16.h"
#include "rows.h"

#include <string.h>

typedef struct {
  const int8_t *feature_weights; /* (units, rank, depth) */
  const int32_t *feature_bias;   /* (units, rank): the input zero point folded in */
  const int16_t *time_weights;   /* (units, rank, memory) */
  const int32_t *bias;           /* (units) */
  int32_t feature_multiplier;
  int32_t feature_shift;
  int32_t output_multiplier;
  int32_t output_shift;
  int32_t output_zero_point;
  int32_t depth;
  int32_t memory;
  int32_t rank;
  int32_t units;
} ek_svdf_s8_layer;

/* One filter: takes in the input, returns the weighed memory. state: (memory), the latest last. Sums wrap. */
static inline uint32_t ek_svdf_filter(const ek_svdf_s8_layer *layer, int32_t filter, const int8_t *input,
                                      int16_t *state) {
  const int8_t *weights = layer->feature_weights + filter * layer->depth;
  int32_t feature = layer->feature_bias[filter];
  for (int32_t i = 0; i < layer->depth; ++i) {
    feature += input[i] * weights[i];
  }
  const int32_t latest = ek_requantize(feature, layer->feature_multiplier, layer->feature_shift);
  memmove(state, state + 1, (size_t)(layer->memory - 1) * sizeof *state);
  state[layer->memory - 1] = ek_clamp_s16(latest, INT16_MIN, INT16_MAX);
  const int16_t *times = layer->time_weights + filter * layer->memory;
  uint32_t sum = 0;
  for (int32_t i = 0; i < layer->memory; ++i) {
    sum += (uint32_t)(times[i] * state[i]);
  }
  return sum;
}

/* input: (rows, depth); output: (rows, units); states: (rows, units, rank, memory) int16, updated. A row is a
 * batch. */
static inline void ek_svdf_s8(const ek_svdf_s8_layer *layer, ek_rows input, ek_rows output, ek_rows states,
                              int32_t row_begin, int32_t row_end) {
  for (int32_t y = row_begin; y < row_end; ++y) {
    int16_t *state = (int16_t *)(void *)states.data + y * layer->units * layer->rank * layer->memory;
    int8_t *unit = ek_row(output, y);
    for (int32_t i = 0; i < layer->units; ++i) {
      uint32_t sum = (uint32_t)layer->bias[i];
      for (int32_t filter = i * layer->rank; filter < (i + 1) * layer->rank; ++filter) {
        sum += ek_svdf_filter(layer, filter, ek_row(input, y), state);
        state += layer->memory;
      }
      const int32_t scaled = ek_requantize((int32_t)sum, layer->output_multiplier, layer->output_shift);
      unit[i] = ek_clamp(scaled + layer->output_zero_point, INT8_MIN, INT8_MAX);
    }
  }
}

#endif
