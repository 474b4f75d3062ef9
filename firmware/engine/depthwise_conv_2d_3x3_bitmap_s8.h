/* DEPTHWISE_CONV_2D with a 3x3 window of weights marked in a bitmap.
 * Twin: edgekit/engine/forms/packed/depthwise_conv_2d.py. */
#ifndef EK_DEPTHWISE_CONV_2D_3X3_BITMAP_S8_H
#define EK_DEPTHWISE_CONV_2D_3X3_BITMAP_S8_H

#include "depthwise_conv_2d_3x3_packed_s8.h"
#include "unpack_bitmap.h"

typedef ek_depthwise_conv_2d_3x3_packed_s8_layer ek_depthwise_conv_2d_3x3_bitmap_s8_layer;

static inline void ek_depthwise_conv_2d_3x3_bitmap_s8(const ek_depthwise_conv_2d_3x3_bitmap_s8_layer *layer,
                                                      ek_rows input, ek_rows output, int8_t *scratch,
                                                      int32_t row_begin, int32_t row_end) {
  ek_depthwise_conv_2d_3x3_packed_s8(layer, ek_unpack_bitmap, input, output, scratch, row_begin, row_end);
}

#endif
