/* CONV_2D of at most 16 different weights. Twin: edgekit/engine/forms/packed/conv_2d.py. */
#ifndef EK_CONV_2D_CLUSTERED_S8_H
#define EK_CONV_2D_CLUSTERED_S8_H

#include "conv_2d_packed_s8.h"
#include "unpack_clustered.h"

typedef ek_conv_2d_packed_s8_layer ek_conv_2d_clustered_s8_layer;

static inline void ek_conv_2d_clustered_s8(const ek_conv_2d_clustered_s8_layer *layer, ek_rows input,
                                           ek_rows output, int8_t *scratch, int32_t row_begin,
                                           int32_t row_end) {
  ek_conv_2d_packed_s8(layer, ek_unpack_clustered, input, output, scratch, row_begin, row_end);
}

#endif
