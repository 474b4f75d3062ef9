/* CONV_2D of int8 on the LX6, two of each four depths kept, int8 weights in flash. Twin:
 * edgekit/engine/forms/blocks/conv_2d_mac16.py. */
#ifndef EK_CONV_2D_CHOSEN_NARROW_S8_MAC16_H
#define EK_CONV_2D_CHOSEN_NARROW_S8_MAC16_H

#include "conv_2d_chosen.mac16.h"

/* Its weights: four int8 a word, in the order in which they are widened. */
typedef ek_conv_2d_chosen_mac16_layer ek_conv_2d_chosen_narrow_s8_mac16_layer;

static inline const int32_t *ek_sum_chosen_narrow_mac16(int32_t *sums, int32_t *end, int32_t start,
                                                        const int16_t *x, int32_t step,
                                                        const int32_t *weights, int32_t *widened,
                                                        int32_t fours) {
  ek_widen_weights_mac16(widened, weights, fours);
  ek_scaled_dots_mac16(sums, end, start, x, step, widened, fours);
  return weights + fours;
}

static inline void ek_conv_2d_chosen_narrow_s8_mac16(const ek_conv_2d_chosen_narrow_s8_mac16_layer *layer,
                                                     ek_rows input, ek_rows output, int8_t *scratch,
                                                     int32_t row_begin, int32_t row_end) {
  ek_conv_2d_chosen_mac16(layer, ek_sum_chosen_narrow_mac16, 8 * (layer->fours + 1), input, output, scratch,
                          row_begin, row_end);
}

#endif
