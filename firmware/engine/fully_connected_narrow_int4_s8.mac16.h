/* FULLY_CONNECTED of int8 on the LX6, weights in 4 bits. Twin:
 * edgekit/engine/forms/packed/fully_connected_mac16.py. */
#ifndef EK_FULLY_CONNECTED_NARROW_INT4_S8_MAC16_H
#define EK_FULLY_CONNECTED_NARROW_INT4_S8_MAC16_H

#include "fully_connected_unpacked.mac16.h"
#include "unpack_int4.h"

typedef ek_fully_connected_packed_mac16_layer ek_fully_connected_narrow_int4_s8_mac16_layer;

static inline void
ek_fully_connected_narrow_int4_s8_mac16(const ek_fully_connected_narrow_int4_s8_mac16_layer *layer,
                                        ek_rows input, ek_rows output, int8_t *scratch, int32_t row_begin,
                                        int32_t row_end) {
  ek_fully_connected_unpacked_mac16(layer, ek_unpack_int4, input, output, scratch, row_begin, row_end);
}

#endif
