/* Four pixels, or one, times eight channels at a time: the inner loop of convolution and of fully connected
 * layers on x86, whose SSE2 multiplies eight pairs of 16 bits and adds each two products. In plain C for
 * other machines. Twin: edgekit/engine/cores/x86/_tile.py.
 *
 * Depths are taken two at a time, a step. A step of weights has 16 bytes: even ones are of the first four
 * channels, odd ones of the last four; each channel's two depths stand one after the other among them. */
#ifndef EK_TILE_X86_H
#define EK_TILE_X86_H

#include "scale.x86.h"

#include <stdint.h>
#include <string.h>

enum { EK_PIXELS_X86 = 4 };

typedef struct {
  const int8_t *weights; /* (blocks, (depth + 1) / 2, 16) */
  const int32_t *scales; /* (blocks, EK_SCALE_WORDS_X86) */
  int32_t depth;
  int32_t output_channels; /* the last block may have some that are none of these */
  int32_t activation_min;
  int32_t activation_max;
} ek_matrix_x86;

/* The next eight activations, zeros where there are fewer. */
static inline const int8_t *ek_eight_x86(const int8_t *from, int32_t left, int8_t *spare) {
  if (left >= 8) {
    return from;
  }
  memset(spare, 0, 8);
  memcpy(spare, from, (size_t)left);
  return spare;
}

#if defined(__SSE2__)

static inline __m128i ek_widened_x86(const int8_t *from) {
  const __m128i bytes = _mm_loadl_epi64((const __m128i *)(const void *)from);
  return _mm_srai_epi16(_mm_unpacklo_epi8(bytes, bytes), 8);
}

/* Widens depth activations of one pixel; to: depth, rounded up to a multiple of 8. */
static inline void ek_widen_x86(const int8_t *from, int32_t depth, int16_t *to) {
  int8_t spare[8];
  for (; depth > 0; depth -= 8, from += 8, to += 8) {
    _mm_storeu_si128((__m128i *)(void *)to, ek_widened_x86(ek_eight_x86(from, depth, spare)));
  }
}

/* The same of four pixels, side by side: (depth / 2, EK_PIXELS_X86, 2). */
static inline void ek_widen_four_x86(const int8_t *const *from, int32_t depth, int16_t *to) {
  int8_t spare[8];
  __m128i *words = (__m128i *)(void *)to;
  for (int32_t done = 0; done < depth; done += 8, words += 4) {
    const __m128i a = ek_widened_x86(ek_eight_x86(from[0] + done, depth - done, spare));
    const __m128i b = ek_widened_x86(ek_eight_x86(from[1] + done, depth - done, spare));
    const __m128i c = ek_widened_x86(ek_eight_x86(from[2] + done, depth - done, spare));
    const __m128i d = ek_widened_x86(ek_eight_x86(from[3] + done, depth - done, spare));
    const __m128i ab_low = _mm_unpacklo_epi32(a, b);
    const __m128i cd_low = _mm_unpacklo_epi32(c, d);
    const __m128i ab_high = _mm_unpackhi_epi32(a, b);
    const __m128i cd_high = _mm_unpackhi_epi32(c, d);
    _mm_storeu_si128(words, _mm_unpacklo_epi64(ab_low, cd_low));
    _mm_storeu_si128(words + 1, _mm_unpackhi_epi64(ab_low, cd_low));
    _mm_storeu_si128(words + 2, _mm_unpacklo_epi64(ab_high, cd_high));
    _mm_storeu_si128(words + 3, _mm_unpackhi_epi64(ab_high, cd_high));
  }
}

#define EK_BEGIN_X86(pixel)                                                                                  \
  __m128i low_##pixel = bias_low;                                                                            \
  __m128i high_##pixel = bias_high;
#define EK_STEP_X86(pixel, x)                                                                                \
  low_##pixel = _mm_add_epi32(low_##pixel, _mm_madd_epi16(weights_low, x));                                  \
  high_##pixel = _mm_add_epi32(high_##pixel, _mm_madd_epi16(weights_high, x));
#define EK_END_X86(pixel)                                                                                    \
  _mm_storeu_si128((__m128i *)(void *)(sums + 8 * (pixel)), low_##pixel);                                    \
  _mm_storeu_si128((__m128i *)(void *)(sums + 8 * (pixel) + 4), high_##pixel);

/* Sums of eight channels (8) of one pixel. */
static inline void ek_sums_of_one_x86(const int8_t *weights, const int32_t *bias, const int16_t *pairs,
                                      int32_t steps, int32_t *sums) {
  const __m128i bias_low = _mm_loadu_si128((const __m128i *)(const void *)bias);
  const __m128i bias_high = _mm_loadu_si128((const __m128i *)(const void *)(bias + 4));
  EK_BEGIN_X86(0)
  for (; steps > 0; --steps, weights += 16, pairs += 2) {
    int32_t pair;
    memcpy(&pair, pairs, 4);
    const __m128i stored = _mm_loadu_si128((const __m128i *)(const void *)weights);
    const __m128i weights_low = _mm_srai_epi16(_mm_slli_epi16(stored, 8), 8);
    const __m128i weights_high = _mm_srai_epi16(stored, 8);
    const __m128i x = _mm_set1_epi32(pair);
    EK_STEP_X86(0, x)
  }
  EK_END_X86(0)
}

/* The same of four pixels (EK_PIXELS_X86, 8). */
static inline void ek_sums_of_four_x86(const int8_t *weights, const int32_t *bias, const int16_t *pairs,
                                       int32_t steps, int32_t *sums) {
  const __m128i bias_low = _mm_loadu_si128((const __m128i *)(const void *)bias);
  const __m128i bias_high = _mm_loadu_si128((const __m128i *)(const void *)(bias + 4));
  EK_BEGIN_X86(0)
  EK_BEGIN_X86(1)
  EK_BEGIN_X86(2)
  EK_BEGIN_X86(3)
  for (; steps > 0; --steps, weights += 16, pairs += 8) {
    const __m128i stored = _mm_loadu_si128((const __m128i *)(const void *)weights);
    const __m128i weights_low = _mm_srai_epi16(_mm_slli_epi16(stored, 8), 8);
    const __m128i weights_high = _mm_srai_epi16(stored, 8);
    const __m128i x = _mm_loadu_si128((const __m128i *)(const void *)pairs);
    const __m128i x_0 = _mm_shuffle_epi32(x, 0x00);
    EK_STEP_X86(0, x_0)
    const __m128i x_1 = _mm_shuffle_epi32(x, 0x55);
    EK_STEP_X86(1, x_1)
    const __m128i x_2 = _mm_shuffle_epi32(x, 0xAA);
    EK_STEP_X86(2, x_2)
    const __m128i x_3 = _mm_shuffle_epi32(x, 0xFF);
    EK_STEP_X86(3, x_3)
  }
  EK_END_X86(0)
  EK_END_X86(1)
  EK_END_X86(2)
  EK_END_X86(3)
}

#else

static inline void ek_widen_x86(const int8_t *from, int32_t depth, int16_t *to) {
  for (int32_t k = 0; k < (depth + 7) / 8 * 8; ++k) {
    to[k] = k < depth ? from[k] : 0;
  }
}

static inline void ek_widen_four_x86(const int8_t *const *from, int32_t depth, int16_t *to) {
  for (int32_t k = 0; k < (depth + 7) / 8 * 8; ++k) {
    for (int32_t pixel = 0; pixel < EK_PIXELS_X86; ++pixel) {
      to[k / 2 * (2 * EK_PIXELS_X86) + 2 * pixel + k % 2] = k < depth ? from[pixel][k] : 0;
    }
  }
}

/* pixels: how many lie side by side. */
static inline void ek_sums_x86(const int8_t *weights, const int32_t *bias, const int16_t *pairs,
                               int32_t steps, int32_t *sums, int32_t pixels) {
  for (int32_t pixel = 0; pixel < pixels; ++pixel) {
    for (int32_t channel = 0; channel < 8; ++channel) {
      const int8_t *weight = weights + channel % 4 * 4 + channel / 4;
      const int16_t *x = pairs + 2 * pixel;
      int32_t sum = bias[channel];
      for (int32_t step = 0; step < steps; ++step, weight += 16, x += 2 * pixels) {
        sum += weight[0] * x[0] + weight[2] * x[1];
      }
      sums[8 * pixel + channel] = sum;
    }
  }
}

static inline void ek_sums_of_one_x86(const int8_t *weights, const int32_t *bias, const int16_t *pairs,
                                      int32_t steps, int32_t *sums) {
  ek_sums_x86(weights, bias, pairs, steps, sums, 1);
}

static inline void ek_sums_of_four_x86(const int8_t *weights, const int32_t *bias, const int16_t *pairs,
                                       int32_t steps, int32_t *sums) {
  ek_sums_x86(weights, bias, pairs, steps, sums, EK_PIXELS_X86);
}

#endif

/* All channels of one pixel. pairs: as ek_widen_x86 leaves them; pixel: (output_channels). */
static inline void ek_outputs_of_one_x86(const ek_matrix_x86 *matrix, const int16_t *pairs, int8_t *pixel) {
  const int32_t steps = (matrix->depth + 1) / 2;
  const int8_t *weights = matrix->weights;
  const int32_t *scales = matrix->scales;
  int32_t sums[8];
  for (int32_t left = matrix->output_channels; left > 0; left -= 8, pixel += 8) {
    ek_sums_of_one_x86(weights, scales, pairs, steps, sums);
    ek_scale_eight_x86(scales, sums, matrix->activation_min, matrix->activation_max, pixel, left);
    weights += 16 * steps;
    scales += EK_SCALE_WORDS_X86;
  }
}

/* The same of the first `count` of four pixels. pairs: as ek_widen_four_x86 leaves them. */
static inline void ek_outputs_of_four_x86(const ek_matrix_x86 *matrix, const int16_t *pairs,
                                          int8_t *const *pixels, int32_t count) {
  const int32_t steps = (matrix->depth + 1) / 2;
  const int8_t *weights = matrix->weights;
  const int32_t *scales = matrix->scales;
  int32_t sums[8 * EK_PIXELS_X86];
  for (int32_t first = 0; first < matrix->output_channels; first += 8) {
    ek_sums_of_four_x86(weights, scales, pairs, steps, sums);
    for (int32_t pixel = 0; pixel < count; ++pixel) {
      ek_scale_eight_x86(scales, sums + 8 * pixel, matrix->activation_min, matrix->activation_max,
                         pixels[pixel] + first, matrix->output_channels - first);
    }
    weights += 16 * steps;
    scales += EK_SCALE_WORDS_X86;
  }
}

#endif
