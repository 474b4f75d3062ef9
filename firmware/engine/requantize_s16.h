/* From an int64 accumulator to an int16 activation, rounding once, halves up, as TFLite's reference kernels
 * do for int16 activations: real = multiplier * 2^-shift. */
#ifndef EK_REQUANTIZE_S16_H
#define EK_REQUANTIZE_S16_H

#include <stdint.h>

/* Scales an accumulator; the multiplier has 15 bits, 8 <= shift <= 46. Where the product passes int64 it
 * wraps. */
static inline int32_t ek_requantize_s16(int64_t accumulator, int32_t multiplier, int32_t shift) {
  const uint64_t half = (uint64_t)1 << (shift - 1);
  return (int32_t)((int64_t)((uint64_t)accumulator * (uint64_t)multiplier + half) >> shift);
}

/* Limits a value to [low, high], both within int16. */
static inline int16_t ek_clamp_s16(int32_t value, int32_t low, int32_t high) {
  if (value < low) {
    return (int16_t)low;
  }
  return (int16_t)(value > high ? high : value);
}

#endif
