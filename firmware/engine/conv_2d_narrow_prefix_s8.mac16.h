/* CONV_2D of int8 on the LX6, weights in prefix codes. Twin: edgekit/engine/forms/packed/conv_2d_mac16.py. */
#ifndef EK_CONV_2D_NARROW_PREFIX_S8_MAC16_H
#define EK_CONV_2D_NARROW_PREFIX_S8_MAC16_H

#include "conv_2d_blocks_of_pixels.mac16.h"
#include "unpack_prefix.h"

typedef ek_conv_2d_packed_mac16_layer ek_conv_2d_narrow_prefix_s8_mac16_layer;

static inline ek_packed ek_widen_prefix_mac16(ek_packed weights, int32_t *widened, int32_t quads) {
  int32_t *unit = widened + quads; /* which ek_widen_weights_mac16 overwrites where it has been */
  weights = ek_unpack_prefix(weights, (int8_t *)unit, 4 * quads);
  ek_widen_weights_mac16(widened, unit, quads);
  return weights;
}

static inline void ek_conv_2d_narrow_prefix_s8_mac16(const ek_conv_2d_narrow_prefix_s8_mac16_layer *layer,
                                                     ek_rows input, ek_rows output, int8_t *scratch,
                                                     int32_t row_begin, int32_t row_end) {
  ek_conv_2d_by_blocks_mac16(&layer->pixels, layer->packed, ek_widen_prefix_mac16, ek_sum_all_mac16, input,
                             output, scratch, row_begin, row_end);
}

#endif
