/* Instructions of Armv7E-M that work on two halves of a word, as functions; in plain C for other machines. */
#ifndef EK_SIMD_DSP_H
#define EK_SIMD_DSP_H

#include <stdint.h>
#include <string.h>

/* Four bytes from any address. */
static inline uint32_t ek_load_word(const int8_t *from) {
  uint32_t word;
  memcpy(&word, from, 4);
  return word;
}

/* Up to three bytes from any address, zeros behind them. */
static inline uint32_t ek_load_part(const int8_t *from, int32_t bytes) {
  uint32_t word = 0;
  for (int32_t i = bytes; i > 0; --i) {
    word = word << 8 | (uint8_t)from[i - 1];
  }
  return word;
}

/* The sum of two integers that may wrap round on its way to a result that fits. */
static inline int32_t ek_wrapping_add(int32_t a, int32_t b) {
  return (int32_t)((uint32_t)a + (uint32_t)b);
}

#ifdef __ARM_FEATURE_DSP

/* Bytes 0 and 2 as two signed halves. */
static inline uint32_t ek_even_bytes(uint32_t word) {
  uint32_t halves;
  __asm__("sxtb16 %0, %1" : "=r"(halves) : "r"(word));
  return halves;
}

/* Bytes 1 and 3 as two signed halves. */
static inline uint32_t ek_odd_bytes(uint32_t word) {
  uint32_t halves;
  __asm__("sxtb16 %0, %1, ror #8" : "=r"(halves) : "r"(word));
  return halves;
}

/* The low halves of two words. */
static inline uint32_t ek_low_halves(uint32_t low, uint32_t high) {
  uint32_t halves;
  __asm__("pkhbt %0, %1, %2, lsl #16" : "=r"(halves) : "r"(low), "r"(high));
  return halves;
}

/* The high halves of two words. */
static inline uint32_t ek_high_halves(uint32_t low, uint32_t high) {
  uint32_t halves;
  __asm__("pkhtb %0, %1, %2, asr #16" : "=r"(halves) : "r"(high), "r"(low));
  return halves;
}

/* Twice both halves, which stay halves. */
static inline uint32_t ek_double_halves(uint32_t halves) {
  __asm__("sadd16 %0, %0, %0" : "+r"(halves) : : "cc");
  return halves;
}

/* sum + the products of both halves. */
static inline int32_t ek_multiply_pairs(uint32_t a, uint32_t b, int32_t sum) {
  __asm__("smlad %0, %1, %2, %0" : "+r"(sum) : "r"(a), "r"(b));
  return sum;
}

/* sum + the upper half of a product of 32 bits, rounded. */
static inline int32_t ek_multiply_upper(int32_t a, int32_t b, int32_t sum) {
  int32_t result;
  __asm__("smmlar %0, %1, %2, %3" : "=r"(result) : "r"(a), "r"(b), "r"(sum));
  return result;
}

/* The nearest int8. */
static inline int32_t ek_saturate(int32_t value) {
  __asm__("ssat %0, #8, %1" : "=r"(value) : "r"(value) : "cc");
  return value;
}

#else

static inline uint32_t ek_halves(int32_t low, int32_t high) {
  return ((uint32_t)low & 0xFFFFu) | (uint32_t)high << 16;
}

static inline uint32_t ek_even_bytes(uint32_t word) {
  return ek_halves((int8_t)(word & 0xFFu), (int8_t)(word >> 16 & 0xFFu));
}

static inline uint32_t ek_odd_bytes(uint32_t word) {
  return ek_even_bytes(word >> 8);
}

static inline uint32_t ek_low_halves(uint32_t low, uint32_t high) {
  return (low & 0xFFFFu) | high << 16;
}

static inline uint32_t ek_high_halves(uint32_t low, uint32_t high) {
  return low >> 16 | (high & 0xFFFF0000u);
}

static inline uint32_t ek_double_halves(uint32_t halves) {
  return (halves << 1 & 0xFFFFu) | (halves & 0xFFFF0000u) << 1;
}

static inline int32_t ek_multiply_pairs(uint32_t a, uint32_t b, int32_t sum) {
  return sum + (int16_t)(a & 0xFFFFu) * (int16_t)(b & 0xFFFFu) + (int16_t)(a >> 16) * (int16_t)(b >> 16);
}

static inline int32_t ek_multiply_upper(int32_t a, int32_t b, int32_t sum) {
  return ek_wrapping_add(sum, (int32_t)(((int64_t)a * b + (INT64_C(1) << 31)) >> 32));
}

static inline int32_t ek_saturate(int32_t value) {
  if (value < -128) {
    return -128;
  }
  return value > 127 ? 127 : value;
}

#endif

/* Limits bytes to [low, high]. */
static inline void ek_clamp_bytes(int8_t *bytes, int32_t count, int32_t low, int32_t high) {
  for (int32_t i = 0; i < count; ++i) {
    const int32_t raised = bytes[i] < low ? low : bytes[i];
    bytes[i] = (int8_t)(raised > high ? high : raised);
  }
}

#endif
