/* MAXIMUM and MINIMUM of int16. Twin: edgekit/engine/ops/_extremum.py. */
#ifndef EK_EXTREMUM_S16_H
#define EK_EXTREMUM_S16_H

#include "extremum.h"

typedef ek_extremum_layer ek_extremum_s16_layer;

EK_BINARY_KERNEL(ek_extremum_s16, ek_extremum_s16_layer, int16_t, int16_t, int16_t, ek_extremum)

#endif
