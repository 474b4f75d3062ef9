/* MAXIMUM and MINIMUM of int8. Twin: edgekit/engine/ops/_extremum.py. */
#ifndef EK_EXTREMUM_S8_H
#define EK_EXTREMUM_S8_H

#include "extremum.h"

typedef ek_extremum_layer ek_extremum_s8_layer;

EK_BINARY_KERNEL(ek_extremum_s8, ek_extremum_s8_layer, int8_t, int8_t, int8_t, ek_extremum)

#endif
