/* SUM and MEAN over all positions of an int8 image or sequence whose rows arrive one after another.
 * Twin: edgekit/engine/ops/_reduce_sum.py. */
#ifndef EK_REDUCE_SUM_ROWS_S8_H
#define EK_REDUCE_SUM_ROWS_S8_H

#include "requantize.h"
#include "row_sums_s8.h"

typedef struct {
  ek_row_sums sums;
  int32_t zero_points; /* the input's zero point times the elements in a sum */
  int32_t multiplier;  /* of a mean: 1 / elements is part of it */
  int32_t shift;
  int32_t output_zero_point;
} ek_reduce_sum_rows_s8_layer;

/* Rows of work are those of the input: (input_rows, input_columns, channels); output: (channels), written
 * with the last of them; scratch: (channels) int32, kept from the first to the last. */
static inline void ek_reduce_sum_rows_s8(const ek_reduce_sum_rows_s8_layer *layer, ek_rows input,
                                         ek_rows output, int8_t *scratch, int32_t row_begin,
                                         int32_t row_end) {
  int32_t *sums = (int32_t *)(void *)scratch;
  if (ek_add_rows_s8(&layer->sums, input, sums, row_begin, row_end)) {
    int8_t *pixel = output.data;
    for (int32_t channel = 0; channel < layer->sums.channels; ++channel) {
      const int32_t scaled =
          ek_requantize(sums[channel] - layer->zero_points, layer->multiplier, layer->shift);
      pixel[channel] = ek_clamp(scaled + layer->output_zero_point, INT8_MIN, INT8_MAX);
    }
  }
}

#endif
