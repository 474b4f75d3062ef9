/* SQUARED_DIFFERENCE of int8 or int16. Twin: edgekit/engine/ops/squared_difference.py.
 * Both inputs are brought to a common scale, with extra bits that leave the square within int32. */
#ifndef EK_SQUARED_DIFFERENCE_H
#define EK_SQUARED_DIFFERENCE_H

#include "binary.h"
#include "requantize.h"

typedef struct {
  ek_pair pair;
  int32_t extra_bits;
  int32_t left_zero_point;
  int32_t left_multiplier;
  int32_t left_shift;
  int32_t right_zero_point;
  int32_t right_multiplier;
  int32_t right_shift;
  int32_t output_multiplier;
  int32_t output_shift;
  int32_t output_zero_point;
  int32_t lowest;
  int32_t highest;
} ek_squared_difference_layer;

static inline int32_t ek_squared_difference(const ek_squared_difference_layer *layer, int32_t a, int32_t b) {
  const int32_t one = 1 << layer->extra_bits;
  const int32_t scaled_a =
      ek_requantize((a - layer->left_zero_point) * one, layer->left_multiplier, layer->left_shift);
  const int32_t scaled_b =
      ek_requantize((b - layer->right_zero_point) * one, layer->right_multiplier, layer->right_shift);
  const int32_t difference = scaled_a - scaled_b;
  const int32_t square =
      ek_requantize(difference * difference, layer->output_multiplier, layer->output_shift);
  return ek_limit(square + layer->output_zero_point, layer->lowest, layer->highest);
}

#endif
