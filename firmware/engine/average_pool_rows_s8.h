/* AVERAGE_POOL_2D of a whole int8 image whose rows arrive one after another, equal scales in and out.
 * Twin: edgekit/engine/ops/average_pool_2d.py. */
#ifndef EK_AVERAGE_POOL_ROWS_S8_H
#define EK_AVERAGE_POOL_ROWS_S8_H

#include "requantize.h"
#include "row_sums_s8.h"

typedef struct {
  ek_row_sums sums;
  int32_t activation_min;
  int32_t activation_max;
} ek_average_pool_rows_s8_layer;

/* Rows of work are those of the input: (input_rows, input_columns, channels); output: (1, channels), written
 * with the last of them; scratch: (channels) int32, kept from the first to the last. */
static inline void ek_average_pool_rows_s8(const ek_average_pool_rows_s8_layer *layer, ek_rows input,
                                           ek_rows output, int8_t *scratch, int32_t row_begin,
                                           int32_t row_end) {
  int32_t *sums = (int32_t *)(void *)scratch;
  if (ek_add_rows_s8(&layer->sums, input, sums, row_begin, row_end)) {
    const int32_t count = layer->sums.input_rows * layer->sums.input_columns;
    int8_t *pixel = ek_row(output, 0);
    for (int32_t channel = 0; channel < layer->sums.channels; ++channel) {
      const int32_t sum = sums[channel];
      const int32_t mean = (sum > 0 ? sum + count / 2 : sum - count / 2) / count;
      pixel[channel] = ek_clamp(mean, layer->activation_min, layer->activation_max);
    }
  }
}

#endif
