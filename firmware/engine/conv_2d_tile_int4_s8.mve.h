/* CONV_2D of weights of 4 bits. Twin: edgekit/engine/forms/packed/conv_2d_mve.py. */
#ifndef EK_CONV_2D_TILE_INT4_S8_MVE_H
#define EK_CONV_2D_TILE_INT4_S8_MVE_H

#include "conv_2d_tile_packed_s8.mve.h"
#include "unpack_int4.h"

typedef ek_conv_2d_tile_packed_s8_mve_layer ek_conv_2d_tile_int4_s8_mve_layer;

static inline void ek_conv_2d_tile_int4_s8_mve(const ek_conv_2d_tile_int4_s8_mve_layer *layer, ek_rows input,
                                               ek_rows output, int8_t *scratch, int32_t row_begin,
                                               int32_t row_end) {
  ek_conv_2d_tile_packed_s8_mve(layer, ek_unpack_int4, input, output, scratch, row_begin, row_end);
}

#endif
