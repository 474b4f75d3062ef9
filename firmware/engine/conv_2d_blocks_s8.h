/* CONV_2D of whose int8 weights only blocks are stored, int8 activations, int32 bias.
 * Twin: edgekit/engine/forms/blocks/conv_2d.py. */
#ifndef EK_CONV_2D_BLOCKS_S8_H
#define EK_CONV_2D_BLOCKS_S8_H

#include "conv_2d_tiles_s8.h"
#include "tile_blocks_s8.h"

typedef ek_conv_2d_tiles_s8 ek_conv_2d_blocks_s8_layer;

/* As ek_conv_2d_by_tiles. */
static inline void ek_conv_2d_blocks_s8(const ek_conv_2d_blocks_s8_layer *layer, ek_rows input,
                                        ek_rows output, int8_t *scratch, int32_t row_begin, int32_t row_end) {
  ek_conv_2d_by_tiles(layer, ek_tile_blocks_s8, ek_vector_blocks_s8, input, output, scratch, row_begin,
                      row_end);
}

#endif
