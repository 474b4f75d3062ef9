/* MAX_POOL_2D, int16, equal scales in and out. Twin: edgekit/engine/ops/max_pool_2d.py. */
#ifndef EK_MAX_POOL_2D_S16_H
#define EK_MAX_POOL_2D_S16_H

#include "pool_window.h"
#include "requantize_s16.h"
#include "rows.h"

typedef ek_pool_layer ek_max_pool_2d_s16_layer;

/* Largest value of one channel in a window. */
static inline int32_t ek_window_max_s16(ek_rows input, ek_range rows, ek_range columns, int32_t channels,
                                        int32_t channel) {
  int32_t largest = INT16_MIN;
  for (int32_t y = rows.begin; y < rows.end; ++y) {
    const int16_t *value =
        (const int16_t *)(const void *)ek_row(input, y) + columns.begin * channels + channel;
    for (int32_t x = columns.begin; x < columns.end; ++x, value += channels) {
      largest = *value > largest ? *value : largest;
    }
  }
  return largest;
}

/* input: (input_rows, input_columns, channels); output: (rows, output_columns, channels). */
static inline void ek_max_pool_2d_s16(const ek_max_pool_2d_s16_layer *layer, ek_rows input, ek_rows output,
                                      int32_t row_begin, int32_t row_end) {
  for (int32_t y = row_begin; y < row_end; ++y) {
    const ek_range rows =
        ek_pool_range(y, layer->stride_rows, layer->pad_top, layer->kernel_rows, layer->input_rows);
    int16_t *pixel = (int16_t *)(void *)ek_row(output, y); /* (output_columns, channels) */
    for (int32_t x = 0; x < layer->output_columns; ++x, pixel += layer->channels) {
      const ek_range columns = ek_pool_range(x, layer->stride_columns, layer->pad_left, layer->kernel_columns,
                                             layer->input_columns);
      for (int32_t channel = 0; channel < layer->channels; ++channel) {
        const int32_t largest = ek_window_max_s16(input, rows, columns, layer->channels, channel);
        pixel[channel] = ek_clamp_s16(largest, layer->activation_min, layer->activation_max);
      }
    }
  }
}

#endif
