/* MUL of int32, which wraps. Twin: edgekit/engine/ops/mul.py. */
#ifndef EK_MUL_S32_H
#define EK_MUL_S32_H

#include "binary.h"

typedef struct {
  ek_pair pair;
} ek_mul_s32_layer;

static inline int32_t ek_mul_wrapping(const ek_mul_s32_layer *layer, int32_t a, int32_t b) {
  (void)layer;
  return (int32_t)((uint32_t)a * (uint32_t)b);
}

EK_BINARY_KERNEL(ek_mul_s32, ek_mul_s32_layer, int32_t, int32_t, int32_t, ek_mul_wrapping)

#endif
