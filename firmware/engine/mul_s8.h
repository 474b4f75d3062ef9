/* MUL of int8. Twin: edgekit/engine/ops/mul.py. */
#ifndef EK_MUL_S8_H
#define EK_MUL_S8_H

#include "mul.h"

typedef ek_mul_layer ek_mul_s8_layer;

EK_BINARY_KERNEL(ek_mul_s8, ek_mul_s8_layer, int8_t, int8_t, int8_t, ek_mul)

#endif
