/* The tile of run_tile.dsp.h for outputs of any sign, of weights of 4 bits. */
#ifndef EK_RUN_TILE_SIGNED_INT4_DSP_H
#define EK_RUN_TILE_SIGNED_INT4_DSP_H

#include "run_tile.dsp.h"

EK_RUN_TILE(ek_run_tile_signed_int4, EK_RUN_FIRST_SIGNED_INT4, EK_RUN_OTHER_SIGNED_INT4)

#endif
