/* FULLY_CONNECTED, int8, weights of which blocks are left out; the depth is a multiple of 4.
 * Twin: edgekit/engine/forms/blocks/fully_connected_mve.py. */
#ifndef EK_FULLY_CONNECTED_TILE_BLOCKS_S8_MVE_H
#define EK_FULLY_CONNECTED_TILE_BLOCKS_S8_MVE_H

#include "fully_connected_tile_s8.mve.h"
#include "matrix_blocks.mve.h"

typedef struct {
  ek_fully_connected_tile_s8_mve_layer tile; /* without weights */
  const int32_t *blocks;                     /* see matrix_blocks.mve.h */
} ek_fully_connected_tile_blocks_s8_mve_layer;

static inline void
ek_fully_connected_tile_blocks_s8_mve(const ek_fully_connected_tile_blocks_s8_mve_layer *layer, ek_rows input,
                                      ek_rows output, int32_t row_begin, int32_t row_end) {
  ek_fully_connected_by_two_mve(&layer->tile, ek_tile_of_blocks_mve(&layer->tile.matrix, layer->blocks),
                                ek_blocks_one_mve, ek_blocks_two_mve, input, output, row_begin, row_end);
}

#endif
