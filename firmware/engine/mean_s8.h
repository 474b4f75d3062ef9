/* MEAN over rows and columns, int8. Twin: edgekit/engine/ops/mean.py. */
#ifndef EK_MEAN_S8_H
#define EK_MEAN_S8_H

#include "requantize.h"
#include "rows.h"

typedef struct {
  int32_t input_rows;
  int32_t input_columns;
  int32_t channels;
  int32_t input_zero_point;
  int32_t multiplier; /* 1 / (input_rows * input_columns) is part of it */
  int32_t shift;
  int32_t output_zero_point;
} ek_mean_s8_layer;

/* input: (input_rows, input_columns, channels); output: (1, channels). Its one row is the only range. */
static inline void ek_mean_s8(const ek_mean_s8_layer *layer, ek_rows input, ek_rows output, int32_t row_begin,
                              int32_t row_end) {
  const int32_t zero_points = layer->input_zero_point * layer->input_rows * layer->input_columns;
  for (int32_t y = row_begin; y < row_end; ++y) {
    int8_t *mean = ek_row(output, y);
    for (int32_t channel = 0; channel < layer->channels; ++channel) {
      int32_t sum = -zero_points;
      for (int32_t row = 0; row < layer->input_rows; ++row) {
        const int8_t *value = ek_row(input, row) + channel;
        for (int32_t x = 0; x < layer->input_columns; ++x, value += layer->channels) {
          sum += *value;
        }
      }
      const int32_t scaled = ek_requantize(sum, layer->multiplier, layer->shift);
      mean[channel] = ek_clamp(scaled + layer->output_zero_point, INT8_MIN, INT8_MAX);
    }
  }
}

#endif
