/* CONV_2D of int8 on Armv7E-M, two pixels at a time: their windows are gathered and widened, then all output
 * channels are computed from them. Twin: edgekit/engine/cores/dsp/conv_2d.py. */
#ifndef EK_CONV_2D_PAIRS_DSP_H
#define EK_CONV_2D_PAIRS_DSP_H

#include "patch_s8.h"
#include "tile.dsp.h"

typedef struct {
  ek_window_s8 window;
  const int32_t *blocks; /* see tile.dsp.h */
  int32_t depth;         /* kernel_rows * kernel_columns * input_channels */
  int32_t output_columns;
  int32_t output_channels;
  int32_t pointwise; /* 1: a 1x1 kernel without padding, whose window is the input pixel itself */
  int32_t clamps;    /* 1: the activation range is less than int8 */
  int32_t activation_min;
  int32_t activation_max;
} ek_conv_2d_pairs_layer;

/* Copies whole words, a last one that is not full with what lies behind it. */
static inline int8_t *ek_copy_words(int8_t *to, const int8_t *from, int32_t bytes) {
  for (int32_t done = 0; done < bytes; done += 4) {
    const uint32_t word = ek_load_word(from + done);
    memcpy(to + done, &word, 4);
  }
  return to + bytes;
}

/* Gathers the window of output pixel (y, x): (depth) bytes, and up to three that mean nothing. */
static inline void ek_gather_pixel(const ek_window_s8 *window, ek_rows input, int32_t y, int32_t x,
                                   int8_t *patch) {
  const int32_t bytes = window->kernel_columns * window->input_channels;
  const int32_t left = (x * window->stride_columns - window->pad_left) * window->input_channels;
  const int32_t top = y * window->stride_rows - window->pad_top;
  const int inside = window->dilation_rows == 1 && window->dilation_columns == 1 && left >= 0 &&
                     left + bytes + 3 <= window->input_columns * window->input_channels && top >= 0 &&
                     top + window->kernel_rows <= window->input_rows;
  if (!inside) {
    ek_gather_patch(window, input, y, x, patch);
    return;
  }
  for (int32_t row = 0; row < window->kernel_rows; ++row) {
    patch = ek_copy_words(patch, ek_row(input, top + row) + left, bytes);
  }
}

/* Widens the windows of two pixels of one row straight from the input; 0 where that cannot be. */
static inline int ek_widen_windows(const ek_window_s8 *window, ek_rows input, int32_t y, int32_t x,
                                   uint32_t *patch) {
  const int32_t channels = window->input_channels;
  const int32_t bytes = window->kernel_columns * channels;
  const int32_t left = x * window->stride_columns - window->pad_left;
  const int32_t top = y * window->stride_rows - window->pad_top;
  if ((bytes & 3) != 0 || window->dilation_rows != 1 || window->dilation_columns != 1 || left < 0 ||
      left + window->stride_columns + window->kernel_columns > window->input_columns || top < 0 ||
      top + window->kernel_rows > window->input_rows) {
    return 0;
  }
  for (int32_t row = 0; row < window->kernel_rows; ++row) {
    const int8_t *pixels = ek_row(input, top + row) + left * channels; /* (kernel_columns, channels) */
    patch = ek_widen_two(patch, pixels, pixels + window->stride_columns * channels, bytes >> 2);
  }
  return 1;
}

/* Two output pixels, which may be the same one. */
typedef struct {
  int32_t y[2];
  int32_t x[2];
} ek_two_pixels;

/* Gathers and widens the windows of both. patch: (groups, 2, 2 pixels) words; unless pointwise, with the
 * bytes of pixel 0 from 3/4 of them, of pixel 1 behind them, and a word that copies may run over. They are
 * read before the words reach them. */
static inline void ek_gather_pair(const ek_conv_2d_pairs_layer *layer, ek_rows input,
                                  const ek_two_pixels *pair, uint32_t *patch) {
  const ek_window_s8 *window = &layer->window;
  if (layer->pointwise) {
    const int32_t step = window->stride_columns * window->input_channels;
    ek_widen_pixels(patch, ek_row(input, pair->y[0] * window->stride_rows) + pair->x[0] * step,
                    ek_row(input, pair->y[1] * window->stride_rows) + pair->x[1] * step, layer->depth);
    return;
  }
  if (pair->x[1] == pair->x[0] + 1 && ek_widen_windows(window, input, pair->y[0], pair->x[0], patch)) {
    return;
  }
  const int32_t words = (layer->depth + 3) >> 2;
  int8_t *bytes = (int8_t *)(patch + 3 * words);
  ek_gather_pixel(window, input, pair->y[0], pair->x[0], bytes);
  ek_gather_pixel(window, input, pair->y[1], pair->x[1], bytes + 4 * words);
  ek_widen_two(patch, bytes, bytes + 4 * words, words);
}

typedef void ek_tile(const int32_t *blocks, const uint32_t *pixels, int32_t groups, int8_t *output,
                     int32_t second);

/* input: (input_rows, input_columns, input_channels); output: (rows, output_columns, output_channels);
 * scratch: see ek_gather_pair. Pixels are taken in pairs along all rows, so that only the last may stand
 * alone: it is computed twice. */
static inline void ek_conv_2d_pairs(const ek_conv_2d_pairs_layer *layer, ek_tile *tile, ek_rows input,
                                    ek_rows output, int8_t *scratch, int32_t row_begin, int32_t row_end) {
  const int32_t channels = layer->output_channels;
  const int32_t groups = (layer->depth + 3) >> 2;
  uint32_t *patch = (uint32_t *)(void *)scratch;
  int32_t y = row_begin;
  int32_t x = 0;
  int8_t *row = ek_row(output, y);
  for (int32_t left = (row_end - row_begin) * layer->output_columns; left > 0; left -= 2) {
    ek_two_pixels pair = {{y, y}, {x, x}};
    int8_t *pixels[2] = {row + x * channels, row + x * channels};
    for (int i = 1; i < 3; ++i) {
      x += 1;
      if (x == layer->output_columns) {
        x = 0;
        y += 1;
        row = ek_row(output, y);
      }
      if (i < 2 && left > 1) {
        pair.y[1] = y;
        pair.x[1] = x;
        pixels[1] = row + x * channels;
      }
    }
    ek_gather_pair(layer, input, &pair, patch);
    tile(layer->blocks, patch, groups, pixels[0], (int32_t)(pixels[1] - pixels[0]));
    if (layer->clamps) {
      ek_clamp_bytes(pixels[0], channels, layer->activation_min, layer->activation_max);
      ek_clamp_bytes(pixels[1], channels, layer->activation_min, layer->activation_max);
    }
  }
}

#endif
