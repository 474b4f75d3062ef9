/* CONV_2D of int8 on the LX6, int16 weights in flash. Twin: edgekit/engine/cores/mac16/conv_2d.py. */
#ifndef EK_CONV_2D_DOTS_S8_MAC16_H
#define EK_CONV_2D_DOTS_S8_MAC16_H

#include "dots.mac16.h"
#include "requantize_sums.mac16.h"
#include "strip.mac16.h"

#define EK_RUN_MAC16 16

typedef struct {
  ek_window_mac16 window;
  const int32_t *weights;  /* (output_channels, 2 * quads), two int16 a word, as a strip orders them */
  const int32_t *channels; /* (output_channels, EK_CHANNEL_WORDS) */
  ek_activations_mac16 to;
  int32_t quads;
  int32_t output_columns;
  int32_t run; /* pixels at once, 1..EK_RUN_MAC16 */
} ek_conv_2d_dots_s8_mac16_layer;

/* All channels of `count` pixels whose windows lie in a strip. */
static inline void ek_conv_2d_run_mac16(const ek_conv_2d_dots_s8_mac16_layer *layer, const int16_t *strip,
                                        int32_t count, int8_t *output) {
  int32_t sums[EK_RUN_MAC16];
  const int32_t step = 2 * layer->window.stride_columns * layer->window.column;
  const int32_t *weights = layer->weights;
  const int32_t *channel = layer->channels;
  for (int32_t left = layer->to.step; left > 0; --left) {
    ek_dots_mac16(sums, sums + count, channel[0], strip, step, weights, layer->quads);
    ek_requantize_mac16(channel, &layer->to, sums, count, output++);
    weights += 2 * layer->quads;
    channel += EK_CHANNEL_WORDS;
  }
}

/* input: (input_rows, input_columns, channels); output: (rows, output_columns, output_channels); scratch: the
 * strip, aligned to 4 bytes, and 4 bytes that are read but count for nothing. */
static inline void ek_conv_2d_dots_s8_mac16(const ek_conv_2d_dots_s8_mac16_layer *layer, ek_rows input,
                                            ek_rows output, int8_t *scratch, int32_t row_begin,
                                            int32_t row_end) {
  int16_t *strip = (int16_t *)(void *)scratch;
  for (int32_t y = row_begin; y < row_end; ++y) {
    int8_t *pixels = ek_row(output, y);
    for (int32_t x = 0; x < layer->output_columns; x += layer->run) {
      const int32_t left = layer->output_columns - x;
      const int32_t count = left < layer->run ? left : layer->run;
      ek_gather_strip_mac16(&layer->window, input, y, x, count, strip);
      ek_conv_2d_run_mac16(layer, strip, count, pixels + x * layer->to.step);
    }
  }
}

#endif
