/* FULLY_CONNECTED, int16 activations, int8 weights, int64 or int32 bias.
 * Twin: edgekit/engine/ops/fully_connected.py. */
#ifndef EK_FULLY_CONNECTED_S16_H
#define EK_FULLY_CONNECTED_S16_H

#include "matrix_vector_s16.h"
#include "rows.h"

typedef struct {
  ek_matrix_s16 matrix;
  int32_t vectors; /* in a row */
} ek_fully_connected_s16_layer;

/* input: (rows, vectors, depth); output: (rows, vectors, output_channels). */
static inline void ek_fully_connected_s16(const ek_fully_connected_s16_layer *layer, ek_rows input,
                                          ek_rows output, int32_t row_begin, int32_t row_end) {
  for (int32_t y = row_begin; y < row_end; ++y) {
    const int16_t *vector = (const int16_t *)(const void *)ek_part(
        input, y, layer->vectors * layer->matrix.depth * (int32_t)sizeof(int16_t));
    int16_t *units = (int16_t *)(void *)ek_row(output, y);
    for (int32_t i = 0; i < layer->vectors; ++i) {
      ek_matrix_vector_s16(&layer->matrix, vector, units);
      vector += layer->matrix.depth;
      units += layer->matrix.output_channels;
    }
  }
}

#endif
