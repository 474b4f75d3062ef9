/* TRANSPOSE_CONV, int16 activations, int8 weights, int64 bias. Twin: edgekit/engine/ops/transpose_conv.py.
 * As transpose_conv_s8.h, with int64 accumulators. */
#ifndef EK_TRANSPOSE_CONV_S16_H
#define EK_TRANSPOSE_CONV_S16_H

#include "matrix_vector_s16.h"
#include "patch_s8.h"
#include "transpose_phase.h"

typedef struct {
  ek_window_s8 window;  /* in bytes, without kernel rows and columns: a phase brings its own */
  ek_matrix_s16 matrix; /* depth = input_channels; weights of the first phase, the others behind them */
  const int32_t *weight_begin; /* (stride_rows, stride_columns): where a phase's weights begin */
  ek_transposed transposed;
  int32_t output_columns;
} ek_transpose_conv_s16_layer;

/* input: (input_rows, input_columns, input_channels); output: (rows, output_columns, output_channels);
 * scratch: the window of the phase with the most taps. */
static inline void ek_transpose_conv_s16(const ek_transpose_conv_s16_layer *layer, ek_rows input,
                                         ek_rows output, int8_t *scratch, int32_t row_begin,
                                         int32_t row_end) {
  const ek_transposed *transposed = &layer->transposed;
  const int32_t channels = layer->matrix.output_channels;
  const int16_t *patch = (const int16_t *)(const void *)scratch;
  ek_window_s8 window = layer->window;
  for (int32_t y = row_begin; y < row_end; ++y) {
    const ek_phase rows =
        ek_phase_at(y, transposed->kernel_rows, transposed->stride_rows, transposed->pad_top);
    int16_t *pixel = (int16_t *)(void *)ek_row(output, y); /* (output_columns, output_channels) */
    window.kernel_rows = rows.taps;
    for (int32_t x = 0; x < layer->output_columns; ++x, pixel += channels) {
      const ek_phase columns =
          ek_phase_at(x, transposed->kernel_columns, transposed->stride_columns, transposed->pad_left);
      const int32_t phase = rows.phase * transposed->stride_columns + columns.phase;
      ek_matrix_s16 matrix = layer->matrix;
      matrix.weights += layer->weight_begin[phase];
      matrix.depth *= rows.taps * columns.taps;
      window.kernel_columns = columns.taps;
      ek_gather_patch(&window, input, rows.first, columns.first, scratch);
      ek_matrix_vector_s16(&matrix, patch, pixel);
    }
  }
}

#endif
