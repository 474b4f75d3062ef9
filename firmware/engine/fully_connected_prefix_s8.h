/* FULLY_CONNECTED of weights in prefix codes. Twin: edgekit/engine/forms/packed/fully_connected.py. */
#ifndef EK_FULLY_CONNECTED_PREFIX_S8_H
#define EK_FULLY_CONNECTED_PREFIX_S8_H

#include "fully_connected_packed_s8.h"
#include "unpack_prefix.h"

typedef ek_fully_connected_packed_s8_layer ek_fully_connected_prefix_s8_layer;

static inline void ek_fully_connected_prefix_s8(const ek_fully_connected_prefix_s8_layer *layer,
                                                ek_rows input, ek_rows output, int8_t *scratch,
                                                int32_t row_begin, int32_t row_end) {
  ek_fully_connected_packed_s8(layer, ek_unpack_prefix, input, output, scratch, row_begin, row_end);
}

#endif
