/* CONV_2D of int8 on Armv7E-M, weights of 4 bits, outputs of any sign.
 * Twin: edgekit/engine/cores/dsp/_runs.py. */
#ifndef EK_CONV_2D_RUNS_INT4_SIGNED_S8_DSP_H
#define EK_CONV_2D_RUNS_INT4_SIGNED_S8_DSP_H

#include "conv_2d_runs.dsp.h"
#include "run_tile_signed_int4.dsp.h"

typedef ek_conv_2d_runs_layer ek_conv_2d_runs_int4_signed_s8_dsp_layer;

static inline void ek_conv_2d_runs_int4_signed_s8_dsp(const ek_conv_2d_runs_int4_signed_s8_dsp_layer *layer,
                                                      ek_rows input, ek_rows output, int8_t *scratch,
                                                      int32_t row_begin, int32_t row_end) {
  ek_conv_2d_runs(layer, ek_widen_int4, NULL, ek_run_tile_signed_int4, input, output, scratch, row_begin,
                  row_end);
}

#endif
