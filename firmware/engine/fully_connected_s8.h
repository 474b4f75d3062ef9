/* FULLY_CONNECTED, int8 activations, int8 weights, int32 bias. Twin: edgekit/engine/ops/fully_connected.py.
 */
#ifndef EK_FULLY_CONNECTED_S8_H
#define EK_FULLY_CONNECTED_S8_H

#include "matrix_vector_s8.h"
#include "rows.h"

typedef struct {
  ek_matrix_s8 matrix;
} ek_fully_connected_s8_layer;

/* input: (rows, depth); output: (rows, output_channels). */
static inline void ek_fully_connected_s8(const ek_fully_connected_s8_layer *layer, ek_rows input,
                                         ek_rows output, int32_t row_begin, int32_t row_end) {
  for (int32_t y = row_begin; y < row_end; ++y) {
    ek_matrix_vector_s8(&layer->matrix, ek_part(input, y, layer->matrix.depth), ek_row(output, y));
  }
}

#endif
