/* The tile of run_tile.dsp.h for outputs of any sign. */
#ifndef EK_RUN_TILE_SIGNED_DSP_H
#define EK_RUN_TILE_SIGNED_DSP_H

#include "run_tile.dsp.h"

EK_RUN_TILE(ek_run_tile_signed, EK_RUN_FIRST_SIGNED, EK_RUN_OTHER_SIGNED)

#endif
