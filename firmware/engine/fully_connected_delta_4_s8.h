/* FULLY_CONNECTED of weights without their zeros, gaps of 4 bits. Twin:
 * edgekit/engine/forms/delta/fully_connected.py. */
#ifndef EK_FULLY_CONNECTED_DELTA_4_S8_H
#define EK_FULLY_CONNECTED_DELTA_4_S8_H

#include "fully_connected_delta.h"

typedef ek_fully_connected_delta_layer ek_fully_connected_delta_4_s8_layer;

static inline void ek_fully_connected_delta_4_s8(const ek_fully_connected_delta_4_s8_layer *layer,
                                                 ek_rows input, ek_rows output, int32_t row_begin,
                                                 int32_t row_end) {
  ek_fully_connected_delta(layer, 4, input, output, row_begin, row_end);
}

#endif
