/* ADD and SUB of int8. Twin: edgekit/engine/ops/_sum.py. */
#ifndef EK_SUM_S8_H
#define EK_SUM_S8_H

#include "sum.h"

typedef ek_sum_layer ek_sum_s8_layer;

EK_BINARY_KERNEL(ek_sum_s8, ek_sum_s8_layer, int8_t, int8_t, int8_t, ek_sum)

#endif
