/* DEPTHWISE_CONV_2D, int8 activations, int8 weights per channel, int32 bias.
 * Twin: edgekit/engine/ops/depthwise_conv_2d.py. */
#ifndef EK_DEPTHWISE_CONV_2D_S8_H
#define EK_DEPTHWISE_CONV_2D_S8_H

#include "patch_s8.h"
#include "requantize.h"

typedef struct {
  ek_window_s8 window;
  const int8_t *weights;     /* (kernel_rows * kernel_columns, output_channels) */
  const int32_t *bias;       /* (output_channels), the input zero point folded in */
  const int32_t *multiplier; /* (output_channels) */
  const int8_t *shift;       /* (output_channels) */
  int32_t taps;              /* kernel_rows * kernel_columns */
  int32_t output_columns;
  int32_t output_channels;
  int32_t output_zero_point;
  int32_t activation_min;
  int32_t activation_max;
} ek_depthwise_conv_2d_s8_layer;

static inline int8_t ek_depthwise_output(const ek_depthwise_conv_2d_s8_layer *layer, int32_t channel,
                                         int32_t sum) {
  const int32_t scaled = ek_requantize(sum, layer->multiplier[channel], layer->shift[channel]);
  return ek_clamp(scaled + layer->output_zero_point, layer->activation_min, layer->activation_max);
}

/* One output pixel. patch: (taps, output_channels); pixel: (output_channels). */
static inline void ek_depthwise_pixel(const ek_depthwise_conv_2d_s8_layer *layer, const int8_t *patch,
                                      int8_t *pixel) {
  const int32_t channels = layer->output_channels;
  const int32_t whole = channels & ~3;
  for (int32_t channel = 0; channel < whole; channel += 4) {
    const int8_t *x = patch + channel;
    const int8_t *weights = layer->weights + channel;
    int32_t sum_0 = layer->bias[channel];
    int32_t sum_1 = layer->bias[channel + 1];
    int32_t sum_2 = layer->bias[channel + 2];
    int32_t sum_3 = layer->bias[channel + 3];
    for (int32_t tap = layer->taps; tap > 0; --tap, x += channels, weights += channels) {
      sum_0 += x[0] * weights[0];
      sum_1 += x[1] * weights[1];
      sum_2 += x[2] * weights[2];
      sum_3 += x[3] * weights[3];
    }
    pixel[channel] = ek_depthwise_output(layer, channel, sum_0);
    pixel[channel + 1] = ek_depthwise_output(layer, channel + 1, sum_1);
    pixel[channel + 2] = ek_depthwise_output(layer, channel + 2, sum_2);
    pixel[channel + 3] = ek_depthwise_output(layer, channel + 3, sum_3);
  }
  for (int32_t channel = whole; channel < channels; ++channel) {
    const int8_t *x = patch + channel;
    const int8_t *weights = layer->weights + channel;
    int32_t sum = layer->bias[channel];
    for (int32_t tap = layer->taps; tap > 0; --tap, x += channels, weights += channels) {
      sum += *x * *weights;
    }
    pixel[channel] = ek_depthwise_output(layer, channel, sum);
  }
}

/* input: (input_rows, input_columns, input_channels); output: (rows, output_columns, output_channels);
 * scratch: (taps, output_channels) bytes. */
static inline void ek_depthwise_conv_2d_s8(const ek_depthwise_conv_2d_s8_layer *layer, ek_rows input,
                                           ek_rows output, int8_t *scratch, int32_t row_begin,
                                           int32_t row_end) {
  for (int32_t y = row_begin; y < row_end; ++y) {
    int8_t *pixel = ek_row(output, y); /* (output_columns, output_channels) */
    for (int32_t x = 0; x < layer->output_columns; ++x, pixel += layer->output_channels) {
      ek_gather_patch(&layer->window, input, y, x, scratch);
      ek_depthwise_pixel(layer, scratch, pixel);
    }
  }
}

#endif
