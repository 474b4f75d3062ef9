/* 1 / sqrt of an integer, with the iterations and the roundings of TFLite's reference kernel. */
#ifndef EK_INVERSE_ROOT_H
#define EK_INVERSE_ROOT_H

#include "fixed_point.h"

/* multiplier * 2^(shift - 31) */
typedef struct {
  int32_t multiplier;
  int32_t shift;
} ek_factor;

/* 1 / sqrt(x), x >= 0; 0 counts as 1. */
static inline ek_factor ek_inverse_root(int32_t x) {
  ek_factor factor = {INT32_MAX, 0};
  if (x <= 1) {
    return factor;
  }
  int32_t right = 11;
  for (; x >= 1 << 29; x /= 4) {
    ++right;
  }
  const int32_t pairs = (ek_leading_zeros((uint32_t)x) - 1) / 2 - 1;
  right -= pairs;
  x <<= 2 * pairs;                                          /* 1/4 <= x < 1 in Q2 */
  const int32_t half_input = ek_divide_by_power(x >> 1, 1); /* Q3 */
  const int32_t half_three = (1 << 28) + (1 << 27);
  int32_t root = 1 << 28;
  for (int32_t step = 0; step < 5; ++step) { /* Newton: root = 3/2 root - x/2 root^3 */
    const int32_t cube = ek_shift_saturating(ek_multiply_high(ek_multiply_high(root, root), root), 6);
    root = ek_shift_saturating(ek_multiply_high(half_three, root) - ek_multiply_high(half_input, cube), 3);
  }
  root = ek_multiply_high(root, 1518500250); /* times sqrt(1/2) */
  factor.multiplier = right < 0 ? (int32_t)((uint32_t)root << -right) : root;
  factor.shift = right < 0 ? 0 : -right;
  return factor;
}

#endif
