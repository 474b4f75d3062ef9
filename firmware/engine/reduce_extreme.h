/* REDUCE_MAX, REDUCE_MIN, and of bool REDUCE_ANY and REDUCE_ALL. Twin: edgekit/engine/ops/_reduce_extreme.py.
 */
#ifndef EK_REDUCE_EXTREME_H
#define EK_REDUCE_EXTREME_H

#include "reduce.h"
#include "rows.h"

#include <stdint.h>

typedef struct {
  ek_reduction reduction;
  int32_t is_int16; /* else int8 or bool */
  int32_t sign;     /* 1: the largest; -1: the smallest */
} ek_reduce_extreme_layer;

/* The extreme for one element of the output. */
static inline int32_t ek_reduced_extreme(const ek_reduce_extreme_layer *layer, const int8_t *data,
                                         int32_t position) {
  const ek_reduction *reduction = &layer->reduction;
  const int16_t *wide = (const int16_t *)(const void *)data;
  const int32_t first = ek_axes_element(&reduction->kept, position);
  int32_t best = INT32_MIN; /* times the sign */
  for (int32_t outer = 0; outer < reduction->outer_count; ++outer) {
    int32_t element = first + ek_axes_element(&reduction->outer, outer);
    for (int32_t i = 0; i < reduction->inner_count; ++i, element += reduction->inner_step) {
      const int32_t value = layer->sign * (layer->is_int16 ? wide[element] : data[element]);
      best = value > best ? value : best;
    }
  }
  return layer->sign * best;
}

/* input: whole, in row-major order; output: (rows, row elements). */
static inline void ek_reduce_extreme(const ek_reduce_extreme_layer *layer, ek_rows input, ek_rows output,
                                     int32_t row_begin, int32_t row_end) {
  const int32_t elements = layer->is_int16 ? output.row_bytes / 2 : output.row_bytes;
  for (int32_t y = row_begin; y < row_end; ++y) {
    int8_t *row = ek_row(output, y);
    for (int32_t i = 0; i < elements; ++i) {
      const int32_t extreme = ek_reduced_extreme(layer, input.data, y * elements + i);
      if (layer->is_int16) {
        ((int16_t *)(void *)row)[i] = (int16_t)extreme;
      } else {
        row[i] = (int8_t)extreme;
      }
    }
  }
}

#endif
