/* Logarithm of a fixed-point number, with the constants and the roundings of TFLite's reference kernel. */
#ifndef EK_FIXED_POINT_LOG_H
#define EK_FIXED_POINT_LOG_H

#include "fixed_point.h"

/* log(r * 2^(1/4)) for r within a factor of 2^(1/4) of 2^(-1/4), Q0 to Q6: a quotient of polynomials. */
static inline int32_t ek_log_fraction(int32_t r) {
  const int32_t root = 1805811301; /* 2^(-1/4) */
  const int32_t middle = (int32_t)(((int64_t)r + root + 1) >> 1);
  const int32_t q = 2 * (r - root);
  const int32_t q2 = ek_multiply_high(q, q);
  const int32_t numerator = ek_multiply_high(q, r) + ek_multiply_high(ek_multiply_high(q, q2), 117049297);
  const int32_t inner = 1057819769 + q + ek_multiply_high(127690142, q2);
  const int32_t denominator = ek_multiply_high(middle, inner) + ek_multiply_high(638450708, q);
  return ek_multiply_high(ek_divide_by_power(numerator, 6), ek_reciprocal(denominator));
}

/* log(x) for x >= 1, Q12 to Q5. x is written as r * 2^k twice, once with r premultiplied by sqrt(1/2); the r
 * that lies nearer to the middle of the approximation counts. */
static inline int32_t ek_log(int32_t x) {
  const int32_t sqrt_half = 1518500250;
  const int32_t log_2 = 1488522236;
  const int32_t quarter = 1 << 23; /* Q6 */
  const int32_t headroom = ek_leading_zeros((uint32_t)x);
  const int32_t reduced = ek_multiply_high((int32_t)((uint32_t)x << (headroom - 1)), sqrt_half);
  const int32_t r_reduced = ek_shift_saturating(reduced, 1);
  const int32_t power_reduced = ek_shift_saturating(12 - headroom, 25) + quarter;
  const int32_t headroom_plain = ek_leading_zeros((uint32_t)ek_multiply_high(x, sqrt_half)) - 1;
  const int32_t r_plain = ek_shift_saturating(x, headroom_plain);
  const int32_t power_plain = ek_shift_saturating(12 - headroom_plain, 25) - quarter;
  const int32_t r = r_reduced < r_plain ? r_reduced : r_plain;
  const int32_t power = power_reduced > power_plain ? power_reduced : power_plain;
  return ek_shift_saturating(ek_multiply_high(power, log_2) + ek_log_fraction(r), 1);
}

#endif
