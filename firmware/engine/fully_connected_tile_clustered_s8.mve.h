/* FULLY_CONNECTED of at most 16 different weights. Twin: edgekit/engine/forms/packed/fully_connected_mve.py.
 */
#ifndef EK_FULLY_CONNECTED_TILE_CLUSTERED_S8_MVE_H
#define EK_FULLY_CONNECTED_TILE_CLUSTERED_S8_MVE_H

#include "fully_connected_tile_packed_s8.mve.h"
#include "unpack_clustered.h"

typedef ek_fully_connected_tile_packed_s8_mve_layer ek_fully_connected_tile_clustered_s8_mve_layer;

static inline void
ek_fully_connected_tile_clustered_s8_mve(const ek_fully_connected_tile_clustered_s8_mve_layer *layer,
                                         ek_rows input, ek_rows output, int8_t *scratch, int32_t row_begin,
                                         int32_t row_end) {
  ek_fully_connected_tile_packed_s8_mve(layer, ek_unpack_clustered, input, output, scratch, row_begin,
                                        row_end);
}

#endif
