/* CONV_2D of weights marked in a bitmap. Twin: edgekit/engine/forms/packed/conv_2d_mve.py. */
#ifndef EK_CONV_2D_TILE_BITMAP_S8_MVE_H
#define EK_CONV_2D_TILE_BITMAP_S8_MVE_H

#include "conv_2d_tile_packed_s8.mve.h"
#include "unpack_bitmap.h"

typedef ek_conv_2d_tile_packed_s8_mve_layer ek_conv_2d_tile_bitmap_s8_mve_layer;

static inline void ek_conv_2d_tile_bitmap_s8_mve(const ek_conv_2d_tile_bitmap_s8_mve_layer *layer,
                                                 ek_rows input, ek_rows output, int8_t *scratch,
                                                 int32_t row_begin, int32_t row_end) {
  ek_conv_2d_tile_packed_s8_mve(layer, ek_unpack_bitmap, input, output, scratch, row_begin, row_end);
}

#endif
