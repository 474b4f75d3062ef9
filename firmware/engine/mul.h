/* MUL of int8 or int16. Twin: edgekit/engine/ops/mul.py. */
#ifndef EK_MUL_H
#define EK_MUL_H

#include "binary.h"
#include "requantize.h"

typedef struct {
  ek_pair pair;
  int32_t left_zero_point;
  int32_t right_zero_point;
  int32_t multiplier;
  int32_t shift;
  int32_t output_zero_point;
  int32_t activation_min;
  int32_t activation_max;
} ek_mul_layer;

static inline int32_t ek_mul(const ek_mul_layer *layer, int32_t a, int32_t b) {
  const int32_t product = (a - layer->left_zero_point) * (b - layer->right_zero_point);
  const int32_t scaled = ek_requantize(product, layer->multiplier, layer->shift);
  return ek_limit(scaled + layer->output_zero_point, layer->activation_min, layer->activation_max);
}

#endif
