/* Comparisons of int8, each with a scale of its own, and of bool. Twin: edgekit/engine/ops/_compare.py. */
#ifndef EK_COMPARE_S8_H
#define EK_COMPARE_S8_H

#include "binary.h"
#include "requantize.h"

typedef struct {
  ek_pair pair;
  int32_t less; /* 1 where the answer is true for left < right */
  int32_t equal;
  int32_t greater;
  int32_t extra_bits;
  int32_t left_zero_point;
  int32_t left_multiplier;
  int32_t left_shift;
  int32_t right_zero_point;
  int32_t right_multiplier;
  int32_t right_shift;
} ek_compare_s8_layer;

static inline int32_t ek_compare_scaled(const ek_compare_s8_layer *layer, int32_t a, int32_t b) {
  const int32_t one = 1 << layer->extra_bits;
  const int32_t scaled_a =
      ek_requantize((a - layer->left_zero_point) * one, layer->left_multiplier, layer->left_shift);
  const int32_t scaled_b =
      ek_requantize((b - layer->right_zero_point) * one, layer->right_multiplier, layer->right_shift);
  if (scaled_a == scaled_b) {
    return layer->equal;
  }
  return scaled_a < scaled_b ? layer->less : layer->greater;
}

EK_BINARY_KERNEL(ek_compare_s8, ek_compare_s8_layer, int8_t, int8_t, uint8_t, ek_compare_scaled)

#endif
