/* DEPTHWISE_CONV_2D of int8 with windows of 3 x 3 on the LX6, int8 weights in flash. Twin:
 * edgekit/engine/cores/mac16/depthwise_conv_2d.py. */
#ifndef EK_DEPTHWISE_CONV_2D_NARROW_S8_MAC16_H
#define EK_DEPTHWISE_CONV_2D_NARROW_S8_MAC16_H

#include "lanes.mac16.h"

typedef struct {
  const int8_t *weights; /* (channels, 9): (column, row) of the window */
  ek_lanes_mac16 lanes;
} ek_depthwise_conv_2d_narrow_s8_mac16_layer;

static inline ek_packed ek_take_narrow_taps_mac16(ek_packed weights, int32_t *taps) {
  ek_pair_taps_mac16((const int8_t *)weights.codes, taps);
  weights.codes += 9;
  return weights;
}

static inline void
ek_depthwise_conv_2d_narrow_s8_mac16(const ek_depthwise_conv_2d_narrow_s8_mac16_layer *layer, ek_rows input,
                                     ek_rows output, int8_t *scratch, int32_t row_begin, int32_t row_end) {
  const ek_packed weights = {(const uint8_t *)layer->weights, NULL};
  ek_convolve_lanes_mac16(&layer->lanes, weights, ek_take_narrow_taps_mac16, 1, input, output, scratch,
                          row_begin, row_end);
}

#endif
