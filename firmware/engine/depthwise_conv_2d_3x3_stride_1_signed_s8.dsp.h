/* DEPTHWISE_CONV_2D 3x3 of int8 on Armv7E-M, columns at stride 1, outputs of any sign.
 * Twin: edgekit/engine/cores/dsp/depthwise_conv_2d.py. */
#ifndef EK_DEPTHWISE_CONV_2D_3X3_STRIDE_1_SIGNED_S8_DSP_H
#define EK_DEPTHWISE_CONV_2D_3X3_STRIDE_1_SIGNED_S8_DSP_H

#include "depthwise_conv_2d_3x3.dsp.h"

EK_STRIP_STRIDE_1(ek_strip_1_signed, EK_STRIP_ONE_SIGNED, EK_STRIP_TWO_SIGNED)

typedef ek_depthwise_3x3_layer ek_depthwise_conv_2d_3x3_stride_1_signed_s8_dsp_layer;

static inline void ek_depthwise_conv_2d_3x3_stride_1_signed_s8_dsp(
    const ek_depthwise_conv_2d_3x3_stride_1_signed_s8_dsp_layer *layer, ek_rows input, ek_rows output,
    int8_t *scratch, int32_t row_begin, int32_t row_end) {
  ek_depthwise_3x3(layer, ek_taps_int8, ek_strip_1_signed, input, output, scratch, row_begin, row_end);
}

#endif
