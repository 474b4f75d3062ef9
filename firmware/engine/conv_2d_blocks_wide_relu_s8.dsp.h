/* CONV_2D of int8 on Armv7E-M, weights stored as int16, outputs behind a ReLU.
 * Twin: edgekit/engine/forms/blocks/conv_2d_dsp.py. */
#ifndef EK_CONV_2D_BLOCKS_WIDE_RELU_S8_DSP_H
#define EK_CONV_2D_BLOCKS_WIDE_RELU_S8_DSP_H

#include "conv_2d_pairs.dsp.h"
#include "tile_blocks.dsp.h"

EK_PAIR_BLOCKS_WIDE(ek_pair_blocks_wide_relu, EK_PAIR_FIRST_RELU, EK_PAIR_OTHER_RELU)

typedef ek_conv_2d_pairs_layer ek_conv_2d_blocks_wide_relu_s8_dsp_layer;

static inline void ek_conv_2d_blocks_wide_relu_s8_dsp(const ek_conv_2d_blocks_wide_relu_s8_dsp_layer *layer,
                                                      ek_rows input, ek_rows output, int8_t *scratch,
                                                      int32_t row_begin, int32_t row_end) {
  ek_conv_2d_pairs(layer, ek_pair_blocks_wide_relu, input, output, scratch, row_begin, row_end);
}

#endif
