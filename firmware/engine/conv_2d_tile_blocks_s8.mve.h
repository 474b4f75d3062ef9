/* CONV_2D, int8, two pixels at a time, weights of which blocks are left out.
 * Twin: edgekit/engine/forms/blocks/conv_2d_mve.py. */
#ifndef EK_CONV_2D_TILE_BLOCKS_S8_MVE_H
#define EK_CONV_2D_TILE_BLOCKS_S8_MVE_H

#include "conv_2d_tile_s8.mve.h"
#include "matrix_blocks.mve.h"

typedef struct {
  ek_conv_2d_tile_s8_mve_layer tile; /* without weights */
  const int32_t *blocks;             /* see matrix_blocks.mve.h */
} ek_conv_2d_tile_blocks_s8_mve_layer;

/* See ek_conv_2d_by_two_mve; patches fill whole words. */
static inline void ek_conv_2d_tile_blocks_s8_mve(const ek_conv_2d_tile_blocks_s8_mve_layer *layer,
                                                 ek_rows input, ek_rows output, int8_t *scratch,
                                                 int32_t row_begin, int32_t row_end) {
  ek_conv_2d_by_two_mve(&layer->tile, ek_tile_of_blocks_mve(&layer->tile.matrix, layer->blocks),
                        ek_blocks_one_mve, ek_blocks_two_mve, (layer->tile.matrix.depth + 3) & ~3, input,
                        output, scratch, row_begin, row_end);
}

#endif
