/* CONV_2D of int8 on Armv7E-M, weights of 16 values, outputs behind a ReLU.
 * Twin: edgekit/engine/cores/dsp/_runs.py. */
#ifndef EK_CONV_2D_RUNS_CLUSTERED_RELU_S8_DSP_H
#define EK_CONV_2D_RUNS_CLUSTERED_RELU_S8_DSP_H

#include "conv_2d_runs.dsp.h"
#include "run_tile_relu.dsp.h"

typedef ek_conv_2d_runs_layer ek_conv_2d_runs_clustered_relu_s8_dsp_layer;

static inline void
ek_conv_2d_runs_clustered_relu_s8_dsp(const ek_conv_2d_runs_clustered_relu_s8_dsp_layer *layer, ek_rows input,
                                      ek_rows output, int8_t *scratch, int32_t row_begin, int32_t row_end) {
  uint32_t *table = (uint32_t *)(void *)scratch;
  ek_pair_table(layer->packed.values, layer->values, table);
  ek_conv_2d_runs(layer, ek_widen_clustered, table, ek_run_tile_relu, input, output,
                  scratch + EK_PAIR_TABLE_BYTES, row_begin, row_end);
}

#endif
