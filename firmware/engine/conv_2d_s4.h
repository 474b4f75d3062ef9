/* CONV_2D, int8 activations, int4 weights packed in flash, int32 bias. Twin: edgekit/engine/ops/conv_2d.py.
 */
#ifndef EK_CONV_2D_S4_H
#define EK_CONV_2D_S4_H

#include "matrix_group_s8.h"
#include "matrix_vector_s4.h"
#include "patch_group.h"

typedef struct {
  ek_window_s8 window; /* of one group: input_channels / groups */
  ek_matrix_s8 matrix; /* of the first group; the others lie behind it */
  int32_t groups;
  int32_t weight_bytes; /* of one group */
  int32_t output_columns;
} ek_conv_2d_s4_layer;

/* input: (input_rows, input_columns, groups, input_channels); output: (rows, output_columns, groups,
 * output_channels); scratch: (depth) bytes. */
static inline void ek_conv_2d_s4(const ek_conv_2d_s4_layer *layer, ek_rows input, ek_rows output,
                                 int8_t *scratch, int32_t row_begin, int32_t row_end) {
  const int32_t channels = layer->matrix.output_channels;
  for (int32_t y = row_begin; y < row_end; ++y) {
    ek_matrix_s8 matrix = layer->matrix;
    for (int32_t group = 0; group < layer->groups; ++group) {
      int8_t *pixel = ek_row(output, y) + group * channels;
      for (int32_t x = 0; x < layer->output_columns; ++x, pixel += layer->groups * channels) {
        ek_gather_group(&layer->window, layer->groups, group, input, y, x, scratch);
        ek_matrix_vector_s4(&matrix, scratch, pixel);
      }
      ek_next_group(&matrix, layer->weight_bytes);
    }
  }
}

#endif
