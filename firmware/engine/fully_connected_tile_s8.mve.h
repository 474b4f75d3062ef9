/* FULLY_CONNECTED, int8. Twin: edgekit/engine/cores/mve/fully_connected.py. */
#ifndef EK_FULLY_CONNECTED_TILE_S8_MVE_H
#define EK_FULLY_CONNECTED_TILE_S8_MVE_H

#include "matrix.mve.h"
#include "rows.h"

typedef struct {
  ek_matrix_mve matrix;
  int32_t vectors; /* in a row */
} ek_fully_connected_tile_s8_mve_layer;

/* input: (rows, vectors, depth), contiguous; output: (rows, vectors, output_channels); one, two: what
 * multiplies so many vectors by the matrix. */
static inline void ek_fully_connected_by_two_mve(const ek_fully_connected_tile_s8_mve_layer *layer,
                                                 ek_tile_mve tile, ek_matrix_times_mve *one,
                                                 ek_matrix_times_mve *two, ek_rows input, ek_rows output,
                                                 int32_t row_begin, int32_t row_end) {
  const int32_t depth = layer->matrix.depth;
  const int32_t channels = layer->matrix.output_channels;
  const int8_t *vector = input.data + row_begin * layer->vectors * depth;
  for (int32_t y = row_begin; y < row_end; ++y) {
    int8_t *units = ek_row(output, y);
    int32_t left = layer->vectors;
    for (; left > 1; left -= 2, vector += 2 * depth, units += 2 * channels) {
      tile.input = vector;
      tile.second_input = vector + depth;
      tile.output[0] = units;
      tile.output[1] = units + channels;
      two(&tile);
    }
    if (left > 0) {
      tile.input = vector;
      tile.output[0] = units;
      one(&tile);
      vector += depth;
    }
  }
}

static inline void ek_fully_connected_tile_s8_mve(const ek_fully_connected_tile_s8_mve_layer *layer,
                                                  ek_rows input, ek_rows output, int32_t row_begin,
                                                  int32_t row_end) {
  ek_fully_connected_by_two_mve(layer, ek_tile_of_mve(&layer->matrix), ek_matrix_one_mve, ek_matrix_two_mve,
                                input, output, row_begin, row_end);
}

#endif
