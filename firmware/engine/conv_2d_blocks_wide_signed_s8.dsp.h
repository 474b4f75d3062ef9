/* CONV_2D of int8 on Armv7E-M, weights stored as int16, outputs of any sign.
 * Twin: edgekit/engine/forms/blocks/conv_2d_dsp.py. */
#ifndef EK_CONV_2D_BLOCKS_WIDE_SIGNED_S8_DSP_H
#define EK_CONV_2D_BLOCKS_WIDE_SIGNED_S8_DSP_H

#include "conv_2d_pairs.dsp.h"
#include "tile_blocks.dsp.h"

EK_PAIR_BLOCKS_WIDE(ek_pair_blocks_wide_signed, EK_PAIR_FIRST_SIGNED, EK_PAIR_OTHER_SIGNED)

typedef ek_conv_2d_pairs_layer ek_conv_2d_blocks_wide_signed_s8_dsp_layer;

static inline void
ek_conv_2d_blocks_wide_signed_s8_dsp(const ek_conv_2d_blocks_wide_signed_s8_dsp_layer *layer, ek_rows input,
                                     ek_rows output, int8_t *scratch, int32_t row_begin, int32_t row_end) {
  ek_conv_2d_pairs(layer, ek_pair_blocks_wide_signed, input, output, scratch, row_begin, row_end);
}

#endif
