/* DEPTHWISE_CONV_2D, int16 activations, int8 weights, int64 bias. Twin:
 * edgekit/engine/ops/depthwise_conv_2d.py. */
#ifndef EK_DEPTHWISE_CONV_2D_S16_H
#define EK_DEPTHWISE_CONV_2D_S16_H

#include "patch_s8.h"
#include "requantize_s16.h"

typedef struct {
  ek_window_s8 window;       /* in bytes: 2 * input_channels */
  const int8_t *weights;     /* (kernel_rows * kernel_columns, output_channels) */
  const int64_t *bias;       /* (output_channels) */
  const int32_t *multiplier; /* (output_channels) */
  const int8_t *shift;       /* (output_channels) */
  int32_t taps;              /* kernel_rows * kernel_columns */
  int32_t output_columns;
  int32_t input_channels;
  int32_t depth_multiplier; /* output channels for each input channel */
  int32_t activation_min;
  int32_t activation_max;
} ek_depthwise_conv_2d_s16_layer;

/* One output pixel. patch: (taps, input_channels); pixel: (input_channels, depth_multiplier). */
static inline void ek_depthwise_pixel_s16(const ek_depthwise_conv_2d_s16_layer *layer, const int16_t *patch,
                                          int16_t *pixel) {
  const int32_t channels = layer->input_channels * layer->depth_multiplier;
  for (int32_t channel = 0; channel < channels; ++channel) {
    const int16_t *x = patch + channel / layer->depth_multiplier;
    const int8_t *weights = layer->weights + channel;
    int64_t sum = layer->bias[channel];
    for (int32_t tap = 0; tap < layer->taps; ++tap, x += layer->input_channels, weights += channels) {
      sum += *x * *weights;
    }
    const int32_t scaled = ek_requantize_s16(sum, layer->multiplier[channel], layer->shift[channel]);
    pixel[channel] = ek_clamp_s16(scaled, layer->activation_min, layer->activation_max);
  }
}

/* input: (input_rows, input_columns, input_channels); output: (rows, output_columns, output_channels);
 * scratch: (taps, input_channels) int16. */
static inline void ek_depthwise_conv_2d_s16(const ek_depthwise_conv_2d_s16_layer *layer, ek_rows input,
                                            ek_rows output, int8_t *scratch, int32_t row_begin,
                                            int32_t row_end) {
  const int16_t *patch = (const int16_t *)(const void *)scratch;
  for (int32_t y = row_begin; y < row_end; ++y) {
    int16_t *pixel = (int16_t *)(void *)ek_row(output, y); /* (output_columns, output_channels) */
    for (int32_t x = 0; x < layer->output_columns; ++x) {
      ek_gather_patch(&layer->window, input, y, x, scratch);
      ek_depthwise_pixel_s16(layer, patch, pixel);
      pixel += layer->input_channels * layer->depth_multiplier;
    }
  }
}

#endif
