/* MAXIMUM and MINIMUM of int32. Twin: edgekit/engine/ops/_extremum.py. */
#ifndef EK_EXTREMUM_S32_H
#define EK_EXTREMUM_S32_H

#include "extremum.h"

typedef ek_extremum_layer ek_extremum_s32_layer;

EK_BINARY_KERNEL(ek_extremum_s32, ek_extremum_s32_layer, int32_t, int32_t, int32_t, ek_extremum)

#endif
