/* The upper half of a fixed-point product, on cores that multiply 32 x 32 to 64 bits. */
#ifndef EK_MULTIPLY_HIGH_H
#define EK_MULTIPLY_HIGH_H

#include <stdint.h>

/* round(a * b / 2^31), halves rounded up. The one overflow, both factors -2^31, cannot occur: a multiplier
 * or a fixed-point fraction is one of them. */
static inline int32_t ek_multiply_high(int32_t a, int32_t b) {
  return (int32_t)(((int64_t)a * b + (1 << 30)) >> 31);
}

/* The same of an even number, given as it is, and b: round(doubled * b / 2^32). */
static inline int32_t ek_multiply_high_doubled(int32_t doubled, int32_t b) {
  const int64_t product = (int64_t)doubled * b;
  return (int32_t)(product >> 32) + (int32_t)((uint32_t)product >> 31);
}

#endif
