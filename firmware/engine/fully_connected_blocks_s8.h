/* FULLY_CONNECTED of whose int8 weights only blocks are stored, int8 activations, int32 bias.
 * Twin: edgekit/engine/forms/blocks/fully_connected.py. */
#ifndef EK_FULLY_CONNECTED_BLOCKS_S8_H
#define EK_FULLY_CONNECTED_BLOCKS_S8_H

#include "rows.h"
#include "tile_blocks_s8.h"

typedef struct {
  ek_matrix_s8 matrix;
  int32_t vectors; /* in a row */
} ek_fully_connected_blocks_s8_layer;

/* input: (rows, vectors, depth); output: (rows, vectors, output_channels). */
static inline void ek_fully_connected_blocks_s8(const ek_fully_connected_blocks_s8_layer *layer,
                                                ek_rows input, ek_rows output, int32_t row_begin,
                                                int32_t row_end) {
  for (int32_t y = row_begin; y < row_end; ++y) {
    const int8_t *vector = ek_part(input, y, layer->vectors * layer->matrix.depth);
    int8_t *units = ek_row(output, y);
    for (int32_t i = 0; i < layer->vectors; ++i) {
      ek_vector_blocks_s8(&layer->matrix, vector, units);
      vector += layer->matrix.depth;
      units += layer->matrix.output_channels;
    }
  }
}

#endif
