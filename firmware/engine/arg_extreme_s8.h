/* ARG_MAX and ARG_MIN of int8: where along one axis the first extreme stands. Twin:
 * edgekit/engine/ops/_arg.py. */
#ifndef EK_ARG_EXTREME_S8_H
#define EK_ARG_EXTREME_S8_H

#include "reduce.h"
#include "rows.h"

#include <stdint.h>

typedef struct {
  ek_axes kept;
  int32_t count; /* along the axis */
  int32_t step;
  int32_t sign; /* 1: the largest; -1: the smallest */
} ek_arg_extreme_s8_layer;

/* input: whole, in row-major order; output: int32 (rows, row elements). */
static inline void ek_arg_extreme_s8(const ek_arg_extreme_s8_layer *layer, ek_rows input, ek_rows output,
                                     int32_t row_begin, int32_t row_end) {
  const int32_t elements = output.row_bytes / (int32_t)sizeof(int32_t);
  for (int32_t y = row_begin; y < row_end; ++y) {
    int32_t *row = (int32_t *)(void *)ek_row(output, y);
    for (int32_t i = 0; i < elements; ++i) {
      const int8_t *value = input.data + ek_axes_element(&layer->kept, y * elements + i);
      int32_t best = 0;
      for (int32_t place = 1; place < layer->count; ++place) {
        if (layer->sign * value[place * layer->step] > layer->sign * value[best * layer->step]) {
          best = place;
        }
      }
      row[i] = best;
    }
  }
}

#endif
