/* MUL of int16. Twin: edgekit/engine/ops/mul.py. */
#ifndef EK_MUL_S16_H
#define EK_MUL_S16_H

#include "mul.h"

typedef ek_mul_layer ek_mul_s16_layer;

EK_BINARY_KERNEL(ek_mul_s16, ek_mul_s16_layer, int16_t, int16_t, int16_t, ek_mul)

#endif
