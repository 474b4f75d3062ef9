/* DIV of int8. Twin: edgekit/engine/ops/div.py. */
#ifndef EK_DIV_S8_H
#define EK_DIV_S8_H

#include "binary.h"
#include "requantize.h"

typedef struct {
  ek_pair pair;
  const int32_t *inverse; /* (256): 2^(bits - 1) / divisor in Q0, for a divisor of so many bits */
  int32_t left_zero_point;
  int32_t right_zero_point;
  int32_t multiplier;
  int32_t shift;
  int32_t output_zero_point;
  int32_t activation_min;
  int32_t activation_max;
} ek_div_s8_layer;

/* Bits of a number from 0 to 255. */
static inline int32_t ek_bits_of_byte(int32_t x) {
  int32_t bits = 0;
  for (; x > 0; x >>= 1) {
    ++bits;
  }
  return bits;
}

static inline int32_t ek_div(const ek_div_s8_layer *layer, int32_t a, int32_t b) {
  int32_t numerator = a - layer->left_zero_point;
  int32_t divisor = b - layer->right_zero_point;
  if (divisor < 0) {
    numerator = -numerator;
    divisor = -divisor;
  }
  int32_t quotient = numerator * 256; /* of a divisor of zero: out of every range */
  if (divisor > 0 && numerator != 0) {
    const int32_t headroom = 31 - ek_bits_of_byte(numerator > 0 ? numerator : -numerator - 1);
    const int32_t shift = layer->shift - (ek_bits_of_byte(divisor) - 1) - headroom;
    const int32_t scaled = (int32_t)((uint32_t)numerator << headroom);
    quotient = ek_requantize(ek_multiply_high(scaled, layer->inverse[divisor]), layer->multiplier, shift);
  }
  return ek_limit(quotient + layer->output_zero_point, layer->activation_min, layer->activation_max);
}

EK_BINARY_KERNEL(ek_div_s8, ek_div_s8_layer, int8_t, int8_t, int8_t, ek_div)

#endif
