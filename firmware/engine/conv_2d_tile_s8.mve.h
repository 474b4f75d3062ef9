/* CONV_2D, int8, two pixels at a time. Twin: edgekit/engine/cores/mve/conv_2d.py. */
#ifndef EK_CONV_2D_TILE_S8_MVE_H
#define EK_CONV_2D_TILE_S8_MVE_H

#include "matrix.mve.h"
#include "patch.mve.h"

typedef struct {
  ek_window_s8 window;
  ek_matrix_mve matrix; /* depth = kernel_rows * kernel_columns * input_channels */
  int32_t output_columns;
  int32_t pointwise;   /* 1: a 1x1 kernel without padding, whose patch is the input pixel itself */
  int32_t copies_rows; /* 1: a kernel of at most 16 rows, no column of it left out */
} ek_conv_2d_tile_s8_mve_layer;

/* What output pixel (y, x) looks at, contiguous. */
static inline const int8_t *ek_conv_patch_mve(const ek_conv_2d_tile_s8_mve_layer *layer, ek_rows input,
                                              const ek_seen_rows_mve *seen, int32_t y, int32_t x,
                                              int8_t *scratch) {
  const ek_window_s8 *window = &layer->window;
  if (layer->pointwise) {
    return ek_row(input, y * window->stride_rows) + x * window->stride_columns * window->input_channels;
  }
  const int32_t left = x * window->stride_columns - window->pad_left;
  if (layer->copies_rows && left >= 0 && left + window->kernel_columns <= window->input_columns) {
    ek_gather_inside_mve(window, seen, left, scratch);
  } else {
    ek_gather_patch_mve(window, input, y, x, scratch);
  }
  return scratch;
}

/* input: (input_rows, input_columns, input_channels); output: (rows, output_columns, output_channels);
 * scratch: two patches, `patch_bytes` from each other, unused where pointwise; one, two: what multiplies so
 * many patches by the matrix. */
static inline void ek_conv_2d_by_two_mve(const ek_conv_2d_tile_s8_mve_layer *layer, ek_tile_mve tile,
                                         ek_matrix_times_mve *one, ek_matrix_times_mve *two,
                                         int32_t patch_bytes, ek_rows input, ek_rows output, int8_t *scratch,
                                         int32_t row_begin, int32_t row_end) {
  const int32_t channels = layer->matrix.output_channels;
  ek_seen_rows_mve seen;
  seen.first = seen.count = 0;
  for (int32_t y = row_begin; y < row_end; ++y) {
    if (layer->copies_rows) {
      ek_see_rows_mve(&layer->window, input, y, scratch, 2 * patch_bytes, &seen);
    }
    int8_t *pixel = ek_row(output, y); /* (output_columns, output_channels) */
    int32_t x = 0;
    for (; x + 1 < layer->output_columns; x += 2, pixel += 2 * channels) {
      tile.input = ek_conv_patch_mve(layer, input, &seen, y, x, scratch);
      tile.second_input = ek_conv_patch_mve(layer, input, &seen, y, x + 1, scratch + patch_bytes);
      tile.output[0] = pixel;
      tile.output[1] = pixel + channels;
      two(&tile);
    }
    if (x < layer->output_columns) {
      tile.input = ek_conv_patch_mve(layer, input, &seen, y, x, scratch);
      tile.output[0] = pixel;
      one(&tile);
    }
  }
}

static inline void ek_conv_2d_tile_s8_mve(const ek_conv_2d_tile_s8_mve_layer *layer, ek_rows input,
                                          ek_rows output, int8_t *scratch, int32_t row_begin,
                                          int32_t row_end) {
  ek_conv_2d_by_two_mve(layer, ek_tile_of_mve(&layer->matrix), ek_matrix_one_mve, ek_matrix_two_mve,
                        layer->matrix.depth, input, output, scratch, row_begin, row_end);
}

#endif
