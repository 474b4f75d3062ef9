/* CONV_2D of int8 on Armv7E-M, weights as prefix codes, outputs behind a ReLU.
 * Twin: edgekit/engine/cores/dsp/_runs.py. */
#ifndef EK_CONV_2D_RUNS_PREFIX_RELU_S8_DSP_H
#define EK_CONV_2D_RUNS_PREFIX_RELU_S8_DSP_H

#include "conv_2d_runs.dsp.h"
#include "run_tile_relu.dsp.h"
#include "widen_prefix.dsp.h"

typedef ek_conv_2d_runs_layer ek_conv_2d_runs_prefix_relu_s8_dsp_layer;

static inline void ek_conv_2d_runs_prefix_relu_s8_dsp(const ek_conv_2d_runs_prefix_relu_s8_dsp_layer *layer,
                                                      ek_rows input, ek_rows output, int8_t *scratch,
                                                      int32_t row_begin, int32_t row_end) {
  ek_conv_2d_runs(layer, ek_widen_prefix, NULL, ek_run_tile_relu, input, output, scratch, row_begin, row_end);
}

#endif
