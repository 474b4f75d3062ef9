/* ADD and SUB of int8 with weights that are known to round every pair of codes as TFLite's three roundings
 * do. Twin: edgekit/engine/ops/_weighted_sum.py. */
#ifndef EK_WEIGHTED_SUM_S8_H
#define EK_WEIGHTED_SUM_S8_H

#include "binary.h"

typedef struct {
  ek_pair pair;
  int32_t left_weight;
  int32_t right_weight;
  int32_t offset;
  int32_t shift;
  int32_t activation_min;
  int32_t activation_max;
} ek_weighted_sum_s8_layer;

static inline int32_t ek_weighted_sum(const ek_weighted_sum_s8_layer *layer, int32_t a, int32_t b) {
  const int32_t sum = a * layer->left_weight + b * layer->right_weight + layer->offset;
  return ek_limit(sum >> layer->shift, layer->activation_min, layer->activation_max);
}

EK_BINARY_KERNEL(ek_weighted_sum_s8, ek_weighted_sum_s8_layer, int8_t, int8_t, int8_t, ek_weighted_sum)

#endif
