/* CONV_2D of weights without their zeros, gaps of 4 bits. Twin: edgekit/engine/forms/delta/conv_2d.py. */
#ifndef EK_CONV_2D_DELTA_4_S8_H
#define EK_CONV_2D_DELTA_4_S8_H

#include "conv_2d_delta.h"

typedef ek_conv_2d_delta_layer ek_conv_2d_delta_4_s8_layer;

static inline void ek_conv_2d_delta_4_s8(const ek_conv_2d_delta_4_s8_layer *layer, ek_rows input,
                                         ek_rows output, int8_t *scratch, int32_t row_begin,
                                         int32_t row_end) {
  ek_conv_2d_delta(layer, 4, input, output, scratch, row_begin, row_end);
}

#endif
