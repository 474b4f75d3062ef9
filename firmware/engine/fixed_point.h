/* exp and reciprocal of fixed-point numbers, with the constants and the roundings of TFLite's reference
 * kernels, so that the bits are the same. Qm numbers have m integer bits and 31 - m behind the point. */
#ifndef EK_FIXED_POINT_H
#define EK_FIXED_POINT_H

#include "requantize.h"

/* x * 2^exponent, held within int32. */
static inline int32_t ek_shift_saturating(int32_t x, int32_t exponent) {
  const int32_t limit = (int32_t)((1u << (31 - exponent)) - 1u);
  if (x > limit) {
    return INT32_MAX;
  }
  return x < -limit ? INT32_MIN : (int32_t)((uint32_t)x << exponent);
}

/* exp(x) for -1/4 <= x < 0, Q0 to Q0: Taylor expansion round -1/8. */
static inline int32_t ek_exp_quarter(int32_t x) {
  const int32_t exp_of_minus_eighth = 1895147668;
  const int32_t third = 715827883;
  const int32_t d = x + (1 << 28);
  const int32_t d2 = ek_multiply_high(d, d);
  const int32_t d3 = ek_multiply_high(d2, d);
  const int32_t d4 = ek_multiply_high(d2, d2);
  const int32_t tail = ek_divide_by_power(ek_multiply_high(ek_divide_by_power(d4, 2) + d3, third) + d2, 1);
  return exp_of_minus_eighth + ek_multiply_high(exp_of_minus_eighth, d + tail);
}

/* exp(x) for x <= 0, Q5 to Q0: the quarter by the series, each further bit by a factor exp(-2^k). */
static inline int32_t ek_exp_negative(int32_t x) {
  /* exp(-1/4), exp(-1/2), exp(-1), exp(-2), exp(-4), exp(-8), exp(-16) in Q0 */
  static const int32_t factors[7] = {1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242};
  const int32_t quarter = 1 << 24;
  const int32_t rest = (x & (quarter - 1)) - quarter;
  const int32_t remainder = rest - x;
  int32_t result = ek_exp_quarter(ek_shift_saturating(rest, 5));
  for (int32_t bit = 0; bit < 7; ++bit) {
    if (remainder & (quarter << bit)) {
      result = ek_multiply_high(result, factors[bit]);
    }
  }
  return x == 0 ? INT32_MAX : result;
}

/* 1 / (1 + x) for 0 <= x <= 1, Q0 to Q0: three Newton steps. */
static inline int32_t ek_reciprocal(int32_t x) {
  const int32_t constant_48_over_17 = 1515870810;        /* Q2 */
  const int32_t constant_minus_32_over_17 = -1010580540; /* Q2 */
  const int32_t half_denominator = (int32_t)(((int64_t)x + INT32_MAX + 1) >> 1);
  int32_t estimate = constant_48_over_17 + ek_multiply_high(half_denominator, constant_minus_32_over_17);
  for (int32_t step = 0; step < 3; ++step) {
    const int32_t error = (1 << 29) - ek_multiply_high(half_denominator, estimate);
    estimate += ek_shift_saturating(ek_multiply_high(estimate, error), 2);
  }
  return ek_shift_saturating(estimate, 1);
}

static inline int32_t ek_leading_zeros(uint32_t x) {
  int32_t zeros = 0;
  for (; zeros < 32 && !(x & 0x80000000u); x <<= 1) {
    ++zeros;
  }
  return zeros;
}

#endif
