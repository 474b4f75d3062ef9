/* CONV_2D of int8 on Armv7E-M, two pixels at a time: their windows are gathered and widened, then all output
 * channels are computed from them. Twin: edgekit/engine/cores/dsp/conv_2d.py. */
#ifndef EK_CONV_2D_PAIRS_DSP_H
#define EK_CONV_2D_PAIRS_DSP_H

#include "patch_s8.h"
#include "tile.dsp.h"

typedef struct {
  ek_window_s8 window;
  const int32_t *blocks; /* see tile.dsp.h */
  int32_t depth;      /* kernel_rows * kernel_columns * input_channels, each row as long as whole_rows says */
  int32_t whole_rows; /* 1: each row of the window fills whole words, with weights of 0 at its end */
  int32_t output_columns;
  int32_t output_channels;
  int32_t pointwise; /* 1: a 1x1 kernel without padding, whose window is the input pixel itself */
  int32_t clamps;    /* 1: the activation range is less than int8 */
  int32_t activation_min;
  int32_t activation_max;
} ek_conv_2d_pairs_layer;

/* One output pixel. */
typedef struct {
  int32_t y;
  int32_t x;
  const int8_t *input; /* the pixel under it, where the kernel is pointwise */
  int8_t *output;      /* (output_channels) */
} ek_pixel;

static inline ek_pixel ek_first_pixel(const ek_conv_2d_pairs_layer *layer, ek_rows input, ek_rows output,
                                      int32_t y) {
  const int8_t *row = layer->pointwise ? ek_row(input, y * layer->window.stride_rows) : NULL;
  const ek_pixel pixel = {y, 0, row, ek_row(output, y)};
  return pixel;
}

/* The pixel to the right, or the first one of the next row. */
static inline ek_pixel ek_next_pixel(const ek_conv_2d_pairs_layer *layer, ek_rows input, ek_rows output,
                                     ek_pixel pixel) {
  pixel.x += 1;
  if (pixel.x == layer->output_columns) {
    return ek_first_pixel(layer, input, output, pixel.y + 1);
  }
  if (layer->pointwise) {
    pixel.input += layer->window.stride_columns * layer->window.input_channels;
  }
  pixel.output += layer->output_channels;
  return pixel;
}

/* Copies whole words of two pixels, `step` bytes apart; each pointer may have any alignment. */
static inline void ek_copy_two(int8_t *first, int8_t *second, const int8_t *from, int32_t step,
                               int32_t words) {
  const int8_t *end = from + 4 * words;
  for (; from != end; from += 4, first += 4, second += 4) {
    const uint32_t word_0 = ek_load_word(from);
    const uint32_t word_1 = ek_load_word(from + step);
    memcpy(first, &word_0, 4);
    memcpy(second, &word_1, 4);
  }
}

#define EK_SHORT_ROW_WORDS 8 /* rows up to it are widened by one call */

/* Gathers the windows of two neighbors in a row where all of them lies inside the input; 0 where not. Rows
 * that fill whole words are widened at once; others are copied to `bytes` first, each with what lies behind
 * its last word, which the next row overwrites. */
static inline int ek_gather_neighbors(const ek_conv_2d_pairs_layer *layer, ek_rows input, ek_pixel first,
                                      uint32_t *patch, int8_t *bytes, int8_t *second_bytes) {
  const ek_window_s8 *window = &layer->window;
  const int32_t channels = window->input_channels;
  const int32_t row_bytes = window->kernel_columns * channels;
  const int32_t words = (row_bytes + 3) >> 2;
  const int32_t left = (first.x * window->stride_columns - window->pad_left) * channels;
  const int32_t top = first.y * window->stride_rows - window->pad_top;
  const int32_t step = window->stride_columns * channels; /* from pixel to pixel */
  if (window->dilation_rows != 1 || window->dilation_columns != 1 || left < 0 ||
      left + step + 4 * words > window->input_columns * channels || top < 0 ||
      top + window->kernel_rows > window->input_rows) {
    return 0;
  }
  int32_t place = top % input.ring_rows;
  const int8_t *row = input.data + place * input.row_bytes + left;
  const int is_whole = layer->whole_rows || (row_bytes & 3) == 0;
  if (is_whole && words <= EK_SHORT_ROW_WORDS && place + window->kernel_rows <= input.ring_rows) {
    ek_widen_rows(patch, row, step, words, window->kernel_rows, input.row_bytes);
    return 1;
  }
  for (int32_t rows = window->kernel_rows; rows > 0; --rows) {
    if (is_whole) {
      patch = ek_widen_two(patch, row, row + step, words);
    } else {
      ek_copy_two(bytes, second_bytes, row, step, words);
      bytes += row_bytes;
      second_bytes += row_bytes;
    }
    row += input.row_bytes;
    place += 1;
    if (place == input.ring_rows) {
      place = 0;
      row -= input.ring_rows * input.row_bytes;
    }
  }
  return 1;
}

/* Gathers and widens the windows of two pixels, which may be the same one. patch: (groups, 2, 2 pixels)
 * words; unless pointwise, with the bytes of the first pixel from 3/4 of them, of the second behind them, and
 * a word that copies may run over. Bytes are read before the words reach them. */
static inline void ek_gather_pair(const ek_conv_2d_pairs_layer *layer, ek_rows input, ek_pixel first,
                                  ek_pixel second, uint32_t *patch) {
  if (layer->pointwise) {
    ek_widen_pixels(patch, first.input, second.input, layer->depth);
    return;
  }
  const ek_window_s8 *window = &layer->window;
  const int32_t groups = (layer->depth + 3) >> 2;
  int8_t *bytes = (int8_t *)(patch + 3 * groups);
  int8_t *second_bytes = bytes + 4 * groups + 4;
  const int32_t row_bytes = window->kernel_columns * window->input_channels;
  if (second.x == first.x + 1 && ek_gather_neighbors(layer, input, first, patch, bytes, second_bytes)) {
    if (layer->whole_rows || (row_bytes & 3) == 0) {
      return;
    }
  } else {
    ek_gather_patch(window, input, first.y, first.x, bytes);
    ek_gather_patch(window, input, second.y, second.x, second_bytes);
    if (layer->whole_rows) {
      for (int32_t rows = window->kernel_rows; rows > 0;
           --rows, bytes += row_bytes, second_bytes += row_bytes) {
        patch = ek_widen_two(patch, bytes, second_bytes, (row_bytes + 3) >> 2);
      }
      return;
    }
  }
  ek_widen_two(patch, bytes, second_bytes, groups);
}

/* What it leaves in place of the pixels is nobody's. */
typedef void ek_pair_tile(const int32_t *blocks, uint32_t *pixels, int32_t groups, int8_t *output,
                          int32_t second);

/* input: (input_rows, input_columns, input_channels); output: (rows, output_columns, output_channels);
 * scratch: see ek_gather_pair. Pixels are taken in pairs along all rows, so that only the last may stand
 * alone: it is computed twice. */
static inline void ek_conv_2d_pairs(const ek_conv_2d_pairs_layer *layer, ek_pair_tile *tile, ek_rows input,
                                    ek_rows output, int8_t *scratch, int32_t row_begin, int32_t row_end) {
  const int32_t groups = (layer->depth + 3) >> 2;
  uint32_t *patch = (uint32_t *)(void *)scratch;
  ek_pixel next = ek_first_pixel(layer, input, output, row_begin);
  for (int32_t left = (row_end - row_begin) * layer->output_columns; left > 0; left -= 2) {
    const ek_pixel first = next;
    const ek_pixel second = left > 1 ? ek_next_pixel(layer, input, output, first) : first;
    ek_gather_pair(layer, input, first, second, patch);
    tile(layer->blocks, patch, groups, first.output, (int32_t)(second.output - first.output));
    if (layer->clamps) {
      ek_clamp_bytes(first.output, layer->output_channels, layer->activation_min, layer->activation_max);
      ek_clamp_bytes(second.output, layer->output_channels, layer->activation_min, layer->activation_max);
    }
    next = ek_next_pixel(layer, input, output, second);
  }
}

#endif
