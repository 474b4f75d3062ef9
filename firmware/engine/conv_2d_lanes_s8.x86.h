/* CONV_2D on x86, int8 activations, int8 weights per channel, int32 bias: four pixels' windows times the
 * weights of eight channels at a time. Twin: edgekit/engine/cores/x86/conv_2d.py. */
#ifndef EK_CONV_2D_LANES_S8_X86_H
#define EK_CONV_2D_LANES_S8_X86_H

#include "patch_s8.h"
#include "tile.x86.h"

typedef struct {
  ek_window_s8 window;
  ek_matrix_x86 matrix; /* depth = kernel_rows * kernel_columns * input_channels */
  int32_t output_columns;
  int32_t pointwise; /* 1: a window is one pixel, which is read where it lies */
} ek_conv_2d_lanes_s8_x86_layer;

/* input: (input_rows, input_columns, input_channels); output: (rows, output_columns, output_channels);
 * scratch: int16 (depth rounded up to a multiple of 8, EK_PIXELS_X86), behind it windows (EK_PIXELS_X86,
 * depth) unless pointwise.
 *
 * The pixels of one tile may lie in two rows: all that they look at is gathered before any is written. */
static inline void ek_conv_2d_lanes_s8_x86(const ek_conv_2d_lanes_s8_x86_layer *layer, ek_rows input,
                                           ek_rows output, int8_t *scratch, int32_t row_begin,
                                           int32_t row_end) {
  const ek_window_s8 *window = &layer->window;
  const int32_t depth = layer->matrix.depth;
  int16_t *pairs = (int16_t *)(void *)scratch;
  int8_t *patches = scratch + (depth + 7) / 8 * 8 * EK_PIXELS_X86 * 2;
  const int8_t *from[EK_PIXELS_X86];
  int8_t *pixels[EK_PIXELS_X86];
  int32_t count = 0;
  int32_t left = (row_end - row_begin) * layer->output_columns;
  for (int32_t y = row_begin; y < row_end; ++y) {
    int8_t *pixel = ek_row(output, y); /* (output_columns, output_channels) */
    for (int32_t x = 0; x < layer->output_columns; ++x, pixel += layer->matrix.output_channels) {
      if (layer->pointwise) {
        from[count] = ek_row(input, y * window->stride_rows) + x * window->stride_columns * depth;
      } else {
        ek_gather_patch(window, input, y, x, patches + count * depth);
        from[count] = patches + count * depth;
      }
      pixels[count] = pixel;
      ++count;
      --left;
      if (count < EK_PIXELS_X86 && left > 0) {
        continue;
      }
      if (count == 1) {
        ek_widen_x86(from[0], depth, pairs);
        ek_outputs_of_one_x86(&layer->matrix, pairs, pixels[0]);
      } else {
        for (int32_t other = count; other < EK_PIXELS_X86; ++other) {
          from[other] = from[0];
        }
        ek_widen_four_x86(from, depth, pairs);
        ek_outputs_of_four_x86(&layer->matrix, pairs, pixels, count);
      }
      count = 0;
    }
  }
}

#endif
