/* DEPTHWISE_CONV_2D of int8 with windows of 3 x 3 on the LX6, int16 weights in flash. Twin:
 * edgekit/engine/cores/mac16/depthwise_conv_2d.py. */
#ifndef EK_DEPTHWISE_CONV_2D_LANES_S8_MAC16_H
#define EK_DEPTHWISE_CONV_2D_LANES_S8_MAC16_H

#include "lanes.mac16.h"

typedef struct {
  const int32_t *weights; /* (channels, EK_TAP_WORDS_MAC16) */
  ek_lanes_mac16 lanes;
} ek_depthwise_conv_2d_lanes_s8_mac16_layer;

static inline ek_packed ek_take_wide_taps_mac16(ek_packed weights, int32_t *taps) {
  const int32_t *words = (const int32_t *)(const void *)weights.codes;
  taps[0] = words[0]; /* one by one, so that they come to registers */
  taps[1] = words[1];
  taps[2] = words[2];
  taps[3] = words[3];
  taps[4] = words[4];
  weights.codes += 4 * EK_TAP_WORDS_MAC16;
  return weights;
}

static inline void ek_depthwise_conv_2d_lanes_s8_mac16(const ek_depthwise_conv_2d_lanes_s8_mac16_layer *layer,
                                                       ek_rows input, ek_rows output, int8_t *scratch,
                                                       int32_t row_begin, int32_t row_end) {
  const ek_packed weights = {(const uint8_t *)layer->weights, NULL};
  ek_convolve_lanes_mac16(&layer->lanes, weights, ek_take_wide_taps_mac16, 0, input, output, scratch,
                          row_begin, row_end);
}

#endif
