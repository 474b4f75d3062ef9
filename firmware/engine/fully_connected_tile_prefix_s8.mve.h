/* FULLY_CONNECTED of weights in prefix codes. Twin: edgekit/engine/forms/packed/fully_connected_mve.py. */
#ifndef EK_FULLY_CONNECTED_TILE_PREFIX_S8_MVE_H
#define EK_FULLY_CONNECTED_TILE_PREFIX_S8_MVE_H

#include "fully_connected_tile_packed_s8.mve.h"
#include "unpack_prefix.h"

typedef ek_fully_connected_tile_packed_s8_mve_layer ek_fully_connected_tile_prefix_s8_mve_layer;

static inline void
ek_fully_connected_tile_prefix_s8_mve(const ek_fully_connected_tile_prefix_s8_mve_layer *layer, ek_rows input,
                                      ek_rows output, int8_t *scratch, int32_t row_begin, int32_t row_end) {
  ek_fully_connected_tile_packed_s8_mve(layer, ek_unpack_prefix, input, output, scratch, row_begin, row_end);
}

#endif
