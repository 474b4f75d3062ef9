/* SUM and MEAN over any axes, int8 and int16. Twin: edgekit/engine/ops/_reduce_sum.py. */
#ifndef EK_REDUCE_SUM_H
#define EK_REDUCE_SUM_H

#include "reduce.h"
#include "requantize.h"
#include "rows.h"

#include <stdint.h>

typedef struct {
  ek_reduction reduction;
  int32_t is_int16;    /* else int8, of input and output */
  int32_t zero_points; /* the input's zero point times the elements in a sum */
  int32_t multiplier;  /* of a mean: 1 / elements is part of it */
  int32_t shift;
  int32_t output_zero_point;
} ek_reduce_sum_layer;

static inline int32_t ek_run_sum_s8(const int8_t *value, int32_t count, int32_t step) {
  int32_t sum = 0;
  for (int32_t i = 0; i < count; ++i) {
    sum += value[i * step];
  }
  return sum;
}

static inline int32_t ek_run_sum_s16(const int16_t *value, int32_t count, int32_t step) {
  int32_t sum = 0;
  for (int32_t i = 0; i < count; ++i) {
    sum += value[i * step];
  }
  return sum;
}

/* Sum for one element of the output. */
static inline int32_t ek_reduced_sum(const ek_reduce_sum_layer *layer, const int8_t *data, int32_t position) {
  const ek_reduction *reduction = &layer->reduction;
  const int32_t first = ek_axes_element(&reduction->kept, position);
  int32_t sum = 0;
  for (int32_t outer = 0; outer < reduction->outer_count; ++outer) {
    const int32_t element = first + ek_axes_element(&reduction->outer, outer);
    sum += layer->is_int16 ? ek_run_sum_s16((const int16_t *)(const void *)data + element,
                                            reduction->inner_count, reduction->inner_step)
                           : ek_run_sum_s8(data + element, reduction->inner_count, reduction->inner_step);
  }
  return sum;
}

/* input: whole, in row-major order; output: (rows, row elements). */
static inline void ek_reduce_sum(const ek_reduce_sum_layer *layer, ek_rows input, ek_rows output,
                                 int32_t row_begin, int32_t row_end) {
  const int32_t elements = layer->is_int16 ? output.row_bytes / 2 : output.row_bytes;
  const int32_t low = layer->is_int16 ? INT16_MIN : INT8_MIN;
  const int32_t high = layer->is_int16 ? INT16_MAX : INT8_MAX;
  for (int32_t y = row_begin; y < row_end; ++y) {
    int8_t *row = ek_row(output, y);
    for (int32_t i = 0; i < elements; ++i) {
      const int32_t sum = ek_reduced_sum(layer, input.data, y * elements + i) - layer->zero_points;
      const int32_t scaled = ek_requantize(sum, layer->multiplier, layer->shift) + layer->output_zero_point;
      const int32_t limited = scaled < low ? low : scaled > high ? high : scaled;
      if (layer->is_int16) {
        ((int16_t *)(void *)row)[i] = (int16_t)limited;
      } else {
        row[i] = (int8_t)limited;
      }
    }
  }
}

#endif
