/* DEPTHWISE_CONV_2D, int8 activations, int4 weights packed in flash, int32 bias.
 * Twin: edgekit/engine/ops/depthwise_conv_2d.py. */
#ifndef EK_DEPTHWISE_CONV_2D_S4_H
#define EK_DEPTHWISE_CONV_2D_S4_H

#include "depthwise_conv_2d_s8.h"
#include "int4.h"

/* As the int8 layer, the weights of each tap packed, two a byte, into whole bytes. */
typedef ek_depthwise_conv_2d_s8_layer ek_depthwise_conv_2d_s4_layer;

/* One output pixel. patch: (taps, output_channels); pixel: (output_channels). */
static inline void ek_depthwise_pixel_s4(const ek_depthwise_conv_2d_s4_layer *layer, const int8_t *patch,
                                         int8_t *pixel) {
  const int32_t channels = layer->output_channels;
  const int32_t tap_bytes = (channels + 1) / 2;
  const int32_t whole = channels & ~1;
  for (int32_t channel = 0; channel < whole; channel += 2) {
    const int8_t *x = patch + channel;
    const int8_t *weights = layer->weights + channel / 2;
    int32_t sum_0 = layer->bias[channel];
    int32_t sum_1 = layer->bias[channel + 1];
    for (int32_t tap = layer->taps; tap > 0; --tap, x += channels, weights += tap_bytes) {
      sum_0 += x[0] * ek_int4_low(*weights);
      sum_1 += x[1] * ek_int4_high(*weights);
    }
    pixel[channel] = ek_depthwise_output(layer, channel, sum_0);
    pixel[channel + 1] = ek_depthwise_output(layer, channel + 1, sum_1);
  }
  if (whole < channels) {
    const int32_t channel = whole;
    const int8_t *x = patch + channel;
    const int8_t *weights = layer->weights + channel / 2;
    int32_t sum = layer->bias[channel];
    for (int32_t tap = layer->taps; tap > 0; --tap, x += channels, weights += tap_bytes) {
      sum += *x * ek_int4_low(*weights);
    }
    pixel[channel] = ek_depthwise_output(layer, channel, sum);
  }
}

/* input: (input_rows, input_columns, input_channels); output: (rows, output_columns, output_channels);
 * scratch: (taps, output_channels) bytes. */
static inline void ek_depthwise_conv_2d_s4(const ek_depthwise_conv_2d_s4_layer *layer, ek_rows input,
                                           ek_rows output, int8_t *scratch, int32_t row_begin,
                                           int32_t row_end) {
  for (int32_t y = row_begin; y < row_end; ++y) {
    int8_t *pixel = ek_row(output, y); /* (output_columns, output_channels) */
    for (int32_t x = 0; x < layer->output_columns; ++x, pixel += layer->output_channels) {
      ek_gather_patch(&layer->window, input, y, x, scratch);
      ek_depthwise_pixel_s4(layer, scratch, pixel);
    }
  }
}

#endif
