/* PRELU of int8: values below zero times a slope of their own. Twin: edgekit/engine/ops/prelu.py. */
#ifndef EK_PRELU_S8_H
#define EK_PRELU_S8_H

#include "binary.h"
#include "requantize.h"

typedef struct {
  ek_pair pair; /* of the input and the slopes */
  int32_t input_zero_point;
  int32_t slope_zero_point;
  int32_t multiplier; /* of values from zero on */
  int32_t shift;
  int32_t slope_multiplier; /* of a value below zero times its slope */
  int32_t slope_shift;
  int32_t output_zero_point;
} ek_prelu_s8_layer;

static inline int32_t ek_prelu(const ek_prelu_s8_layer *layer, int32_t code, int32_t slope) {
  const int32_t x = code - layer->input_zero_point;
  const int32_t scaled = x >= 0 ? ek_requantize(x, layer->multiplier, layer->shift)
                                : ek_requantize(x * (slope - layer->slope_zero_point),
                                                layer->slope_multiplier, layer->slope_shift);
  return ek_limit(scaled + layer->output_zero_point, INT8_MIN, INT8_MAX);
}

EK_BINARY_KERNEL(ek_prelu_s8, ek_prelu_s8_layer, int8_t, int8_t, int8_t, ek_prelu)

#endif
