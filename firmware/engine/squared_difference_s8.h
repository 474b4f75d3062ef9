/* SQUARED_DIFFERENCE of int8. Twin: edgekit/engine/ops/squared_difference.py. */
#ifndef EK_SQUARED_DIFFERENCE_S8_H
#define EK_SQUARED_DIFFERENCE_S8_H

#include "squared_difference.h"

typedef ek_squared_difference_layer ek_squared_difference_s8_layer;

EK_BINARY_KERNEL(ek_squared_difference_s8, ek_squared_difference_s8_layer, int8_t, int8_t, int8_t,
                 ek_squared_difference)

#endif
