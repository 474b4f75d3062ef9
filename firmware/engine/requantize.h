/* From an int32 accumulator to an int8 activation, rounding twice as TFLite's reference kernels do
 * (Jacob et al. 2018, arXiv:1712.05877, section 2.2): real = multiplier * 2^(shift - 31). */
#ifndef EK_REQUANTIZE_H
#define EK_REQUANTIZE_H

#include "limit.h"
#include "multiply_high.h"

#include <stdint.h>

/* round(x / 2^exponent), halves rounded away from zero; 0 <= exponent <= 31. */
static inline int32_t ek_divide_by_power(int32_t x, int32_t exponent) {
  const int32_t mask = (int32_t)((1u << exponent) - 1u);
  const int32_t threshold = (mask >> 1) + (x < 0 ? 1 : 0);
  return (x >> exponent) + ((x & mask) > threshold ? 1 : 0);
}

/* Scales an accumulator; -31 <= shift <= 31, positive shifts to the left. */
static inline int32_t ek_requantize(int32_t accumulator, int32_t multiplier, int32_t shift) {
  if (shift > 0) {
    return ek_multiply_high((int32_t)((uint32_t)accumulator << shift), multiplier);
  }
  return ek_divide_by_power(ek_multiply_high(accumulator, multiplier), -shift);
}

/* How accumulators become activations where |accumulator| < 2^30 and -22 <= shift <= -1. */
typedef struct {
  int32_t multiplier;
  int32_t exponent; /* -shift */
  int32_t offset;   /* the zero point and half a step, both times 2^exponent */
} ek_scale;

static inline ek_scale ek_scale_of(int32_t multiplier, int32_t shift, int32_t zero_point) {
  const ek_scale scale = {multiplier, -shift, (2 * zero_point + 1) * (1 << (-shift - 1))};
  return scale;
}

/* ek_requantize(accumulator, ...) + zero_point: the product's sign takes one off a negative half, so that it
 * rounds away from zero. */
static inline int32_t ek_scaled(ek_scale scale, int32_t accumulator) {
  const int32_t product = ek_multiply_high_doubled(2 * accumulator, scale.multiplier);
  return (product + (product >> 31) + scale.offset) >> scale.exponent;
}

/* Limits a value to [low, high], both within int8. */
static inline int8_t ek_clamp(int32_t value, int32_t low, int32_t high) {
  return (int8_t)ek_limit(value, low, high);
}

#endif
