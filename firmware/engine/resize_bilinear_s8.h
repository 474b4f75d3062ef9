/* RESIZE_BILINEAR, int8, in fixed point with 10 bits of fraction. Twin:
 * edgekit/engine/ops/resize_bilinear.py. */
#ifndef EK_RESIZE_BILINEAR_S8_H
#define EK_RESIZE_BILINEAR_S8_H

#include "rows.h"

#include <stdint.h>

#define EK_RESIZE_ONE 1024

typedef struct {
  int32_t input_rows;
  int32_t input_columns;
  int32_t output_columns;
  int32_t channels;
  int32_t row_scale; /* input rows for each output row, times 1024 */
  int32_t row_shift; /* position of output row 0, times 1024 */
  int32_t column_scale;
  int32_t column_shift;
} ek_resize_bilinear_s8_layer;

/* Two neighbors along one axis and how far behind the lower one the sample lies, times 1024. */
typedef struct {
  int32_t lower;
  int32_t upper;
  int32_t fraction; /* below 0 in front of the first pixel: then both neighbors are that one */
} ek_neighbors;

static inline ek_neighbors ek_neighbors_of(int32_t position, int32_t size) {
  const int32_t lower = position < 0 ? 0 : position / EK_RESIZE_ONE;
  const int32_t above = (position + EK_RESIZE_ONE - 1) / EK_RESIZE_ONE;
  const ek_neighbors neighbors = {lower, above < size ? above : size - 1, position - lower * EK_RESIZE_ONE};
  return neighbors;
}

/* input: (input_rows, input_columns, channels); output: (rows, output_columns, channels). */
static inline void ek_resize_bilinear_s8(const ek_resize_bilinear_s8_layer *layer, ek_rows input,
                                         ek_rows output, int32_t row_begin, int32_t row_end) {
  for (int32_t y = row_begin; y < row_end; ++y) {
    const ek_neighbors rows = ek_neighbors_of(y * layer->row_scale + layer->row_shift, layer->input_rows);
    const int8_t *top = ek_row(input, rows.lower);    /* (input_columns, channels) */
    const int8_t *bottom = ek_row(input, rows.upper); /* (input_columns, channels) */
    int8_t *pixel = ek_row(output, y);
    for (int32_t x = 0; x < layer->output_columns; ++x, pixel += layer->channels) {
      const ek_neighbors columns =
          ek_neighbors_of(x * layer->column_scale + layer->column_shift, layer->input_columns);
      const int32_t left = columns.lower * layer->channels;
      const int32_t right = columns.upper * layer->channels;
      const int32_t top_left = (EK_RESIZE_ONE - rows.fraction) * (EK_RESIZE_ONE - columns.fraction);
      const int32_t top_right = (EK_RESIZE_ONE - rows.fraction) * columns.fraction;
      const int32_t bottom_left = rows.fraction * (EK_RESIZE_ONE - columns.fraction);
      const int32_t bottom_right = rows.fraction * columns.fraction;
      for (int32_t channel = 0; channel < layer->channels; ++channel) {
        const int32_t sum = top[left + channel] * top_left + bottom[left + channel] * bottom_left +
                            top[right + channel] * top_right + bottom[right + channel] * bottom_right;
        /* Halves are rounded away from zero. */
        pixel[channel] = (int8_t)((sum + (sum > 0 ? 1 << 19 : -(1 << 19))) / (1 << 20));
      }
    }
  }
}

#endif
