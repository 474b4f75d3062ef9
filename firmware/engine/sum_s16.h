/* ADD and SUB of int16. Twin: edgekit/engine/ops/_sum.py. */
#ifndef EK_SUM_S16_H
#define EK_SUM_S16_H

#include "sum.h"

typedef ek_sum_layer ek_sum_s16_layer;

EK_BINARY_KERNEL(ek_sum_s16, ek_sum_s16_layer, int16_t, int16_t, int16_t, ek_sum)

#endif
