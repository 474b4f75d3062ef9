/* FULLY_CONNECTED of int8 on Armv7E-M, weights as codes of 4 bits that are used as they are read: four
 * outputs at a time, eight depths of one output a word. Twin:
 * edgekit/engine/forms/packed/fully_connected_dsp.py. */
#ifndef EK_FULLY_CONNECTED_CODES_DSP_H
#define EK_FULLY_CONNECTED_CODES_DSP_H

#include "packed.h"
#include "rows.h"
#include "simd.dsp.h"

typedef struct {
  ek_packed packed;      /* blocks of four outputs, the last one of the last four; zeros up to whole words */
  const int32_t *scales; /* of each block 4 biases, a byte of each shift and raise - 1, 4 multipliers */
  int32_t values;        /* that codes stand for */
  int32_t raise;         /* see run_tile.dsp.h, and widen.dsp.h */
  int32_t rounding;      /* of shift 1 */
  int32_t depth;
  int32_t output_channels; /* at least 4 */
  int32_t clamps;          /* 1: the activation range is less than int8 */
  int32_t activation_min;
  int32_t activation_max;
} ek_fully_connected_codes_layer;

/* Adds the products of `words` times eight depths to four sums and returns the codes behind. x: four words of
 * halves for each eight depths, in the order that SXTB16 gives. table: what bytes of two codes stand for. */
typedef const uint8_t *ek_multiply_codes(const uint8_t *codes, const uint32_t *x, int32_t words,
                                         int32_t sums[4], const uint32_t *table);

#ifdef __ARM_FEATURE_DSP

/* clang-format off */
/* Defines NAME, an ek_multiply_codes. ONE multiplies the word in r12 by r8 to r11; r3 is free for it. */
#define EK_MULTIPLY_CODES(NAME, PREPARE, ONE) \
  static __attribute__((noinline)) const uint8_t *NAME(const uint8_t *codes, const uint32_t *x, int32_t words, \
                                                       int32_t sums[4], const uint32_t *table) { \
    register const uint8_t *r0 __asm__("r0") = codes; \
    register const uint32_t *r1 __asm__("r1") = x; \
    register int32_t r2 __asm__("r2") = words; \
    register int32_t *r3 __asm__("r3") = sums; \
    register const uint32_t *r4 __asm__("r4") = table; \
    __asm__ volatile( \
      "push {r4-r11, lr}\n\t" \
      "push {r3}\n\t" \
      "mov r12, r4\n\t" \
      "ldmia.w r3, {r4-r7}\n\t" \
      PREPARE \
      "1:\n\t" \
      "ldmia.w r1!, {r8-r11}\n\t" \
      ONE("r4") \
      ONE("r5") \
      ONE("r6") \
      ONE("r7") \
      "subs r2, r2, #1\n\t" \
      "bne.w 1b\n\t" \
      "pop {r3}\n\t" \
      "stmia.w r3, {r4-r7}\n\t" \
      "pop {r4-r11, lr}\n\t" \
      : "+r"(r0), "+r"(r1), "+r"(r2), "+r"(r3), "+r"(r4) : : "r12", "cc", "memory"); \
    return r0; \
  }

#define EK_MULTIPLY_NIBBLES(SUM) \
  "ldr r12, [r0], #4\n\t" \
  "and lr, r3, r12, lsl #12\n\t" \
  "smlad " SUM ", lr, r8, " SUM "\n\t" \
  "and lr, r3, r12, lsl #8\n\t" \
  "smlad " SUM ", lr, r9, " SUM "\n\t" \
  "and lr, r3, r12, lsl #4\n\t" \
  "smlad " SUM ", lr, r10, " SUM "\n\t" \
  "and r12, r12, r3\n\t" \
  "smlad " SUM ", r12, r11, " SUM "\n\t"

#define EK_MULTIPLY_PLACES(SUM) \
  "ldr r12, [r0], #4\n\t" \
  "uxtb lr, r12\n\t" \
  "ldr lr, [r3, lr, lsl #2]\n\t" \
  "smlad " SUM ", lr, r8, " SUM "\n\t" \
  "ubfx lr, r12, #8, #8\n\t" \
  "ldr lr, [r3, lr, lsl #2]\n\t" \
  "smlad " SUM ", lr, r9, " SUM "\n\t" \
  "ubfx lr, r12, #16, #8\n\t" \
  "ldr lr, [r3, lr, lsl #2]\n\t" \
  "smlad " SUM ", lr, r10, " SUM "\n\t" \
  "lsr r12, r12, #24\n\t" \
  "ldr r12, [r3, r12, lsl #2]\n\t" \
  "smlad " SUM ", r12, r11, " SUM "\n\t"

EK_MULTIPLY_CODES(ek_multiply_nibbles, "mov r3, #0xF000F000\n\t", EK_MULTIPLY_NIBBLES)

EK_MULTIPLY_CODES(ek_multiply_places, "mov r3, r12\n\t", EK_MULTIPLY_PLACES)
/* clang-format on */

#else

static inline const uint8_t *ek_multiply_nibbles(const uint8_t *codes, const uint32_t *x, int32_t words,
                                                 int32_t sums[4], const uint32_t *table) {
  (void)table;
  for (; words > 0; --words, x += 4) {
    for (int output = 0; output < 4; ++output, codes += 4) {
      const uint32_t word = ek_load_word((const int8_t *)codes);
      for (int half = 0; half < 4; ++half) {
        const uint32_t weights = word << 4 * (3 - half) & 0xF000F000u;
        sums[output] = ek_multiply_pairs(weights, x[half], sums[output]);
      }
    }
  }
  return codes;
}

static inline const uint8_t *ek_multiply_places(const uint8_t *codes, const uint32_t *x, int32_t words,
                                                int32_t sums[4], const uint32_t *table) {
  for (; words > 0; --words, x += 4) {
    for (int output = 0; output < 4; ++output) {
      for (int half = 0; half < 4; ++half) {
        sums[output] = ek_multiply_pairs(table[*codes++], x[half], sums[output]);
      }
    }
  }
  return codes;
}

#endif

/* Widens a vector to halves, zeros behind it up to eight depths. */
static inline void ek_widen_vector(const int8_t *x, int32_t depth, uint32_t *to) {
  for (int32_t left = (depth + 7) & ~7; left > 0; left -= 4, depth -= 4, x += 4) {
    const uint32_t word = depth >= 4 ? ek_load_word(x) : ek_load_part(x, depth);
    *to++ = ek_even_bytes(word);
    *to++ = ek_odd_bytes(word);
  }
}

/* The output of a raised sum; see run_tile.dsp.h. */
static inline int8_t ek_raised_output(int32_t sum, int32_t multiplier, int32_t rounding, int32_t raise,
                                      int32_t shift) {
  const int32_t scaled = (int32_t)(((int64_t)sum * multiplier) >> 32) + (sum >> 31) * (1 << (raise - 1));
  const int32_t half = rounding * (1 << (shift - 1)) + (1 << (raise - 2));
  return (int8_t)ek_saturate((scaled + half) >> shift);
}

/* input: (rows, depth); output: (rows, output_channels); scratch: halves of a vector. */
static inline void ek_fully_connected_codes(const ek_fully_connected_codes_layer *layer,
                                            ek_multiply_codes *multiply, const uint32_t *table, ek_rows input,
                                            ek_rows output, int8_t *scratch, int32_t row_begin,
                                            int32_t row_end) {
  const int32_t outputs = layer->output_channels;
  uint32_t *x = (uint32_t *)(void *)scratch;
  for (int32_t y = row_begin; y < row_end; ++y) {
    int8_t *row = ek_row(output, y);
    const uint8_t *codes = layer->packed.codes;
    const int32_t *scales = layer->scales;
    ek_widen_vector(ek_part(input, y, layer->depth), layer->depth, x);
    for (int32_t first = 0; first < outputs; first += 4, scales += 9) {
      int8_t *four = row + (first + 4 <= outputs ? first : outputs - 4);
      uint32_t shifts = (uint32_t)scales[4];
      int32_t sums[4];
      for (int i = 0; i < 4; ++i) {
        sums[i] = scales[i] * (1 << layer->raise);
      }
      codes = multiply(codes, x, (layer->depth + 7) >> 3, sums, table);
      for (int i = 0; i < 4; ++i, shifts >>= 8) {
        four[i] =
            ek_raised_output(sums[i], scales[5 + i], layer->rounding, layer->raise, (int32_t)(shifts & 255));
      }
    }
    if (layer->clamps) {
      ek_clamp_bytes(row, outputs, layer->activation_min, layer->activation_max);
    }
  }
}

#endif
