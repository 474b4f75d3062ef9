/* ADD and SUB of int32, which wrap. Twin: edgekit/engine/ops/_sum.py. */
#ifndef EK_SUM_S32_H
#define EK_SUM_S32_H

#include "binary.h"

typedef struct {
  ek_pair pair;
  int32_t right_sign; /* 1 adds, -1 subtracts */
} ek_sum_s32_layer;

static inline int32_t ek_sum_wrapping(const ek_sum_s32_layer *layer, int32_t a, int32_t b) {
  const uint32_t addend = layer->right_sign < 0 ? 0u - (uint32_t)b : (uint32_t)b;
  return (int32_t)((uint32_t)a + addend);
}

EK_BINARY_KERNEL(ek_sum_s32, ek_sum_s32_layer, int32_t, int32_t, int32_t, ek_sum_wrapping)

#endif
