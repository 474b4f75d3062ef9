/* TANH of int16. Twin: edgekit/engine/ops/tanh.py. */
#ifndef EK_TANH_TENSOR_S16_H
#define EK_TANH_TENSOR_S16_H

#include "sigmoid_s16.h"
#include "unary.h"

typedef struct {
  int32_t row_elements;
  int32_t multiplier; /* the input's scale times 3 * 2^(12 + shift) */
  int32_t rounding;   /* half of 2^shift */
  int32_t shift;
} ek_tanh_tensor_s16_layer;

static inline int16_t ek_tanh(const ek_tanh_tensor_s16_layer *layer, int32_t x) {
  return ek_tanh_s16((x * layer->multiplier + layer->rounding) >> layer->shift);
}

EK_UNARY_KERNEL(ek_tanh_tensor_s16, int16_t, int16_t, ek_tanh)

#endif
