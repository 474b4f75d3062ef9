/* CONV_2D of int8 on the LX6, int8 weights in flash. Twin: edgekit/engine/cores/mac16/conv_2d.py. */
#ifndef EK_CONV_2D_NARROW_S8_MAC16_H
#define EK_CONV_2D_NARROW_S8_MAC16_H

#include "conv_2d_blocks_of_pixels.mac16.h"

typedef struct {
  const int32_t *weights; /* (output_channels, quads), four int8 a word, and one word that is read ahead */
  ek_pixels_mac16 pixels;
} ek_conv_2d_narrow_s8_mac16_layer;

static inline ek_packed ek_widen_narrow_mac16(ek_packed weights, int32_t *widened, int32_t quads) {
  ek_widen_weights_mac16(widened, (const int32_t *)(const void *)weights.codes, quads);
  weights.codes += 4 * quads;
  return weights;
}

static inline void ek_conv_2d_narrow_s8_mac16(const ek_conv_2d_narrow_s8_mac16_layer *layer, ek_rows input,
                                              ek_rows output, int8_t *scratch, int32_t row_begin,
                                              int32_t row_end) {
  const ek_packed weights = {(const uint8_t *)layer->weights, NULL};
  ek_conv_2d_by_blocks_mac16(&layer->pixels, weights, ek_widen_narrow_mac16, ek_sum_all_mac16, input, output,
                             scratch, row_begin, row_end);
}

#endif
