/* The tile of run_tile.dsp.h for outputs behind a ReLU. */
#ifndef EK_RUN_TILE_RELU_DSP_H
#define EK_RUN_TILE_RELU_DSP_H

#include "run_tile.dsp.h"

EK_RUN_TILE(ek_run_tile_relu, EK_RUN_FIRST_RELU, EK_RUN_OTHER_RELU)

#endif
