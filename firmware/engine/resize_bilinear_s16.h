/* RESIZE_BILINEAR, int16, in fixed point with 10 bits of fraction. Twin:
 * edgekit/engine/ops/resize_bilinear.py. */
#ifndef EK_RESIZE_BILINEAR_S16_H
#define EK_RESIZE_BILINEAR_S16_H

#include "resize_neighbors.h"
#include "rows.h"

#include <stdint.h>

typedef ek_resize_layer ek_resize_bilinear_s16_layer;

/* input: (input_rows, input_columns, channels); output: (rows, output_columns, channels). */
static inline void ek_resize_bilinear_s16(const ek_resize_bilinear_s16_layer *layer, ek_rows input,
                                          ek_rows output, int32_t row_begin, int32_t row_end) {
  for (int32_t y = row_begin; y < row_end; ++y) {
    const ek_neighbors rows = ek_neighbors_of(y * layer->row_scale + layer->row_shift, layer->input_rows);
    const int16_t *top =
        (const int16_t *)(const void *)ek_row(input, rows.lower); /* (input_columns, channels) */
    const int16_t *bottom =
        (const int16_t *)(const void *)ek_row(input, rows.upper); /* (input_columns, channels) */
    int16_t *pixel = (int16_t *)(void *)ek_row(output, y);
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
        const int64_t sum =
            (int64_t)top[left + channel] * top_left + (int64_t)bottom[left + channel] * bottom_left +
            (int64_t)top[right + channel] * top_right + (int64_t)bottom[right + channel] * bottom_right;
        /* Halves are rounded away from zero. */
        const int64_t half = 1 << 19;
        pixel[channel] = (int16_t)(sum > 0 ? (sum + half) >> 20 : -((half - sum) >> 20));
      }
    }
  }
}

#endif
