/* The upper half of a fixed-point product, on cores whose multiplier keeps only the low 32 bits.
 * Variant of multiply_high.h for the feature `mul32`: four products of 16-bit halves. */
#ifndef EK_MULTIPLY_HIGH_H
#define EK_MULTIPLY_HIGH_H

#include <stdint.h>

/* round(a * b / 2^31), halves rounded up; the same bits as multiply_high.h. No sum here leaves int32: a
 * product of a signed and an unsigned half has 2^16 of room below 2^31. */
static inline int32_t ek_multiply_high(int32_t a, int32_t b) {
  const int32_t a_high = a >> 16;
  const int32_t b_high = b >> 16;
  const int32_t a_low = (int32_t)((uint32_t)a & 0xffffu);
  const int32_t b_low = (int32_t)((uint32_t)b & 0xffffu);
  const uint32_t low = (uint32_t)a_low * (uint32_t)b_low;
  const int32_t middle = a_high * b_low + (int32_t)(low >> 16);
  const int32_t carried = a_low * b_high + (int32_t)((uint32_t)middle & 0xffffu);
  const uint32_t product_high = (uint32_t)(a_high * b_high + (middle >> 16) + (carried >> 16));
  const uint32_t product_bit_31 = ((uint32_t)carried >> 15) & 1u;
  const uint32_t product_bit_30 = ((uint32_t)carried >> 14) & 1u; /* rounds */
  return (int32_t)((product_high << 1 | product_bit_31) + product_bit_30);
}

/* The same of an even number, given as it is, and b: round(doubled * b / 2^32). */
static inline int32_t ek_multiply_high_doubled(int32_t doubled, int32_t b) {
  return ek_multiply_high(doubled >> 1, b);
}

#endif
