/* ADD and SUB of int8 or int16. Twin: edgekit/engine/ops/_sum.py.
 * Both inputs are brought to a common scale with some extra bits, as TFLite's reference kernels do. */
#ifndef EK_SUM_H
#define EK_SUM_H

#include "binary.h"
#include "requantize.h"

typedef struct {
  ek_pair pair;
  int32_t extra_bits;
  int32_t left_zero_point;
  int32_t left_multiplier;
  int32_t left_shift;
  int32_t right_sign; /* 1 adds, -1 subtracts */
  int32_t right_zero_point;
  int32_t right_multiplier;
  int32_t right_shift;
  int32_t output_multiplier;
  int32_t output_shift;
  int32_t output_zero_point;
  int32_t activation_min;
  int32_t activation_max;
} ek_sum_layer;

static inline int32_t ek_sum(const ek_sum_layer *layer, int32_t a, int32_t b) {
  const int32_t one = 1 << layer->extra_bits;
  const int32_t scaled_a =
      ek_requantize((a - layer->left_zero_point) * one, layer->left_multiplier, layer->left_shift);
  const int32_t scaled_b =
      ek_requantize((b - layer->right_zero_point) * one, layer->right_multiplier, layer->right_shift);
  const int32_t scaled =
      ek_requantize(scaled_a + layer->right_sign * scaled_b, layer->output_multiplier, layer->output_shift);
  return ek_limit(scaled + layer->output_zero_point, layer->activation_min, layer->activation_max);
}

#endif
