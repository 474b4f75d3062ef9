/* DEPTHWISE_CONV_2D of int8 with windows of 3 x 3 on the LX6, weights in prefix codes. Twin:
 * edgekit/engine/forms/packed/depthwise_conv_2d_mac16.py. */
#ifndef EK_DEPTHWISE_CONV_2D_NARROW_PREFIX_S8_MAC16_H
#define EK_DEPTHWISE_CONV_2D_NARROW_PREFIX_S8_MAC16_H

#include "lanes.mac16.h"
#include "unpack_prefix.h"

typedef struct {
  ek_packed packed; /* (channels, 9): (column, row) of the window */
  ek_lanes_mac16 lanes;
} ek_depthwise_conv_2d_narrow_prefix_s8_mac16_layer;

static inline ek_packed ek_take_prefix_taps_mac16(ek_packed weights, int32_t *taps) {
  int32_t unit[3];
  weights = ek_unpack_prefix(weights, (int8_t *)unit, 9);
  ek_pair_taps_mac16((const int8_t *)unit, taps);
  return weights;
}

static inline void
ek_depthwise_conv_2d_narrow_prefix_s8_mac16(const ek_depthwise_conv_2d_narrow_prefix_s8_mac16_layer *layer,
                                            ek_rows input, ek_rows output, int8_t *scratch, int32_t row_begin,
                                            int32_t row_end) {
  ek_convolve_lanes_mac16(&layer->lanes, layer->packed, ek_take_prefix_taps_mac16, 1, input, output, scratch,
                          row_begin, row_end);
}

#endif
