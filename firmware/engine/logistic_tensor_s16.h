/* LOGISTIC of int16. Twin: edgekit/engine/ops/logistic.py. */
#ifndef EK_LOGISTIC_TENSOR_S16_H
#define EK_LOGISTIC_TENSOR_S16_H

#include "sigmoid_s16.h"
#include "unary.h"

typedef struct {
  int32_t row_elements;
  int32_t multiplier; /* the input's scale times 3 * 2^(12 + shift) */
  int32_t rounding;   /* half of 2^shift */
  int32_t shift;
} ek_logistic_tensor_s16_layer;

static inline int16_t ek_logistic(const ek_logistic_tensor_s16_layer *layer, int32_t x) {
  return ek_sigmoid_s16((x * layer->multiplier + layer->rounding) >> layer->shift);
}

EK_UNARY_KERNEL(ek_logistic_tensor_s16, int16_t, int16_t, ek_logistic)

#endif
