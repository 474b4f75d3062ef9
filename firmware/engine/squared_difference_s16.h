/* SQUARED_DIFFERENCE of int16. Twin: edgekit/engine/ops/squared_difference.py. */
#ifndef EK_SQUARED_DIFFERENCE_S16_H
#define EK_SQUARED_DIFFERENCE_S16_H

#include "squared_difference.h"

typedef ek_squared_difference_layer ek_squared_difference_s16_layer;

EK_BINARY_KERNEL(ek_squared_difference_s16, ek_squared_difference_s16_layer, int16_t, int16_t, int16_t,
                 ek_squared_difference)

#endif
