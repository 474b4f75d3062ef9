/* Eight sums to eight activations on x86, as ek_scaled of requantize.h does; in plain C for other machines.
 * Twin: edgekit/engine/cores/x86/_tile.py.
 *
 * SSE2 multiplies unsigned words only, and shifts all lanes alike. So a sum is raised by 2^31, which adds
 * exactly the multiplier to the upper half of its product; and a shift is the upper half of a product with
 * 2^(32 - shift), of a number raised by 2^31 as well. */
#ifndef EK_SCALE_X86_H
#define EK_SCALE_X86_H

#include <stdint.h>
#include <string.h>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

/* The constants of eight channels, in words: biases, multipliers, roundings with the zero point raised by
 * 2^31, and 2^(32 - shift). */
enum { EK_SCALE_WORDS_X86 = 32 };

/* Stores the first `left` of eight bytes, or all. */
static inline void ek_store_eight_x86(int8_t *to, const int8_t *bytes, int32_t left) {
  if (left >= 8) {
    memcpy(to, bytes, 8);
  } else {
    memcpy(to, bytes, (size_t)left);
  }
}

#if defined(__SSE2__)

/* The upper halves of four products; lanes 0, 2, 1, 3. */
static inline __m128i ek_upper_halves_x86(__m128i a, __m128i b, __m128i half) {
  const __m128i even = _mm_add_epi64(_mm_mul_epu32(a, b), half);
  const __m128i odd = _mm_add_epi64(_mm_mul_epu32(_mm_srli_epi64(a, 32), _mm_srli_epi64(b, 32)), half);
  return _mm_castps_si128(_mm_shuffle_ps(_mm_castsi128_ps(even), _mm_castsi128_ps(odd), 0xDD));
}

/* Sums of four channels to their activations, not yet limited. */
static inline __m128i ek_scale_four_x86(const int32_t *scales, __m128i sums) {
  const __m128i multipliers = _mm_loadu_si128((const __m128i *)(const void *)(scales + 8));
  const __m128i roundings = _mm_loadu_si128((const __m128i *)(const void *)(scales + 16));
  const __m128i factors = _mm_loadu_si128((const __m128i *)(const void *)(scales + 24));
  const __m128i raised = _mm_xor_si128(sums, _mm_set1_epi32(INT32_MIN));
  const __m128i half = _mm_set_epi32(0, INT32_MIN, 0, INT32_MIN);
  const __m128i above = ek_upper_halves_x86(raised, _mm_add_epi32(multipliers, multipliers), half);
  const __m128i product = _mm_sub_epi32(above, _mm_shuffle_epi32(multipliers, 0xD8));
  const __m128i rounded =
      _mm_add_epi32(_mm_add_epi32(product, _mm_srai_epi32(product, 31)), _mm_shuffle_epi32(roundings, 0xD8));
  const __m128i shifted = ek_upper_halves_x86(rounded, _mm_shuffle_epi32(factors, 0xD8), _mm_setzero_si128());
  return _mm_sub_epi32(shifted, _mm_srli_epi32(factors, 1));
}

/* Eight sums in two vectors to the first `left` of eight activations in [low, high]. */
static inline void ek_store_scaled_x86(const int32_t *scales, __m128i sums_low, __m128i sums_high,
                                       int32_t low, int32_t high, int8_t *to, int32_t left) {
  int8_t bytes[8];
  const __m128i wide =
      _mm_packs_epi32(ek_scale_four_x86(scales, sums_low), ek_scale_four_x86(scales + 4, sums_high));
  const __m128i limited =
      _mm_min_epi16(_mm_max_epi16(wide, _mm_set1_epi16((int16_t)low)), _mm_set1_epi16((int16_t)high));
  _mm_storel_epi64((__m128i *)(void *)bytes, _mm_packs_epi16(limited, limited));
  ek_store_eight_x86(to, bytes, left);
}

static inline void ek_scale_eight_x86(const int32_t *scales, const int32_t *sums, int32_t low, int32_t high,
                                      int8_t *to, int32_t left) {
  ek_store_scaled_x86(scales, _mm_loadu_si128((const __m128i *)(const void *)sums),
                      _mm_loadu_si128((const __m128i *)(const void *)(sums + 4)), low, high, to, left);
}

#else

static inline void ek_scale_eight_x86(const int32_t *scales, const int32_t *sums, int32_t low, int32_t high,
                                      int8_t *to, int32_t left) {
  int8_t bytes[8];
  for (int32_t lane = 0; lane < 8; ++lane) {
    const int64_t doubled = (int64_t)2 * sums[lane] * scales[8 + lane];
    const int32_t product = (int32_t)((doubled + (INT64_C(1) << 31)) >> 32);
    const uint32_t rounded = (uint32_t)(product + (product >> 31)) + (uint32_t)scales[16 + lane];
    const uint32_t factor = (uint32_t)scales[24 + lane];
    const int32_t scaled = (int32_t)((uint32_t)((uint64_t)rounded * factor >> 32) - factor / 2);
    const int32_t raised = scaled < low ? low : scaled;
    bytes[lane] = (int8_t)(raised > high ? high : raised);
  }
  ek_store_eight_x86(to, bytes, left);
}

#endif

#endif
