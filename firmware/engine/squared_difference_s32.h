/* SQUARED_DIFFERENCE of int32, which wraps. Twin: edgekit/engine/ops/squared_difference.py. */
#ifndef EK_SQUARED_DIFFERENCE_S32_H
#define EK_SQUARED_DIFFERENCE_S32_H

#include "binary.h"

typedef struct {
  ek_pair pair;
} ek_squared_difference_s32_layer;

static inline int32_t ek_squared_difference_wrapping(const ek_squared_difference_s32_layer *layer, int32_t a,
                                                     int32_t b) {
  (void)layer;
  const uint32_t difference = (uint32_t)a - (uint32_t)b;
  return (int32_t)(difference * difference);
}

EK_BINARY_KERNEL(ek_squared_difference_s32, ek_squared_difference_s32_layer, int32_t, int32_t, int32_t,
                 ek_squared_difference_wrapping)

#endif
