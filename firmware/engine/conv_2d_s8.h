/* CONV_2D, int8 activations, int8 weights per channel, int32 bias. Twin: edgekit/engine/ops/conv_2d.py. */
#ifndef EK_CONV_2D_S8_H
#define EK_CONV_2D_S8_H

#include "matrix_vector_s8.h"
#include "patch_s8.h"

typedef struct {
  ek_window_s8 window;
  ek_matrix_s8 matrix; /* depth = kernel_rows * kernel_columns * input_channels */
  int32_t output_columns;
  int32_t pointwise; /* 1: a 1x1 kernel without padding, whose patch is the input pixel itself */
} ek_conv_2d_s8_layer;

/* input: (input_rows, input_columns, input_channels); output: (rows, output_columns, output_channels);
 * scratch: (depth) bytes, unused where pointwise. */
static inline void ek_conv_2d_s8(const ek_conv_2d_s8_layer *layer, ek_rows input, ek_rows output,
                                 int8_t *scratch, int32_t row_begin, int32_t row_end) {
  const ek_window_s8 *window = &layer->window;
  for (int32_t y = row_begin; y < row_end; ++y) {
    int8_t *pixel = ek_row(output, y); /* (output_columns, output_channels) */
    for (int32_t x = 0; x < layer->output_columns; ++x, pixel += layer->matrix.output_channels) {
      const int8_t *patch = scratch;
      if (layer->pointwise) {
        patch = ek_row(input, y * window->stride_rows) + x * window->stride_columns * window->input_channels;
      } else {
        ek_gather_patch(window, input, y, x, scratch);
      }
      ek_matrix_vector_s8(&layer->matrix, patch, pixel);
    }
  }
}

#endif
