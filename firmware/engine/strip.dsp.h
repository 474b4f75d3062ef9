/* One row of a 3x3 depthwise convolution on Armv7E-M, four channels at a time.
 * Twin: edgekit/engine/cores/dsp/_strip.py.
 *
 * A strip holds the three rows that the window looks at, for each two columns a and b and each of the four
 * channels three words of two halves: (row 0, row 1) of a, the same of b, and (a, b) of row 2. So nine taps
 * are five products, and each word serves all outputs that look at it. The channels stand in the order 0, 2,
 * 1, 3, as SXTB16 widens them.
 *
 * For each channel, in that order too, nine words: the weights, doubled, as (row 0, row 1) of the three
 * columns and (columns 0, 1) and (columns 1, 2) of row 2; bias; multiplier; rounding; shift. Above its low
 * byte the shift says how far the output of the next channel stands behind this one's; that of the last
 * channel is negative. */
#ifndef EK_STRIP_DSP_H
#define EK_STRIP_DSP_H

#include "simd.dsp.h"

#include <stdint.h>

#define EK_STRIP_COLUMNS_WORDS 12 /* of two columns: (4 channels, 3) */
#define EK_STRIP_CHANNEL_WORDS 9

/* Where two columns of four channels stand in three rows. */
typedef struct {
  const int8_t *first;   /* row 0 */
  int32_t second, third; /* from row 0 to the others */
  int32_t step;          /* from one column to the next */
} ek_columns;

#ifdef __ARM_FEATURE_DSP

/* Packs `pairs` times two columns, at least one; returns where the strip ends. */
static __attribute__((noinline)) uint32_t *ek_pack_columns(uint32_t *to, const ek_columns *from,
                                                           int32_t pairs) {
  register uint32_t *r0 __asm__("r0") = to;
  register const ek_columns *r1 __asm__("r1") = from;
  register int32_t r2 __asm__("r2") = pairs;
/* Six words, widened by WIDEN, to two channels; their registers come in order from the loads. */
/* clang-format off */
#define EK_PACK_TWO_CHANNELS(WIDEN) \
  "sxtb16 r2, r4" WIDEN "\n\t" \
  "sxtb16 r1, r5" WIDEN "\n\t" \
  "sxtb16 r3, r7" WIDEN "\n\t" \
  "sxtb16 r10, r8" WIDEN "\n\t" \
  "sxtb16 r11, r6" WIDEN "\n\t" \
  "sxtb16 lr, r9" WIDEN "\n\t" \
  "pkhbt r0, r2, r1, lsl #16\n\t" \
  "pkhtb r2, r1, r2, asr #16\n\t" \
  "pkhbt r1, r3, r10, lsl #16\n\t" \
  "pkhtb r3, r10, r3, asr #16\n\t" \
  "pkhbt r10, r11, lr, lsl #16\n\t" \
  "pkhtb r11, lr, r11, asr #16\n\t" \
  "stmia.w r12!, {r0, r1, r10}\n\t" \
  "stmia.w r12!, {r2, r3, r11}\n\t"
  __asm__ volatile(
    "push {r3-r11, lr}\n\t"
    "sub sp, #24\n\t"
    "mov r12, r0\n\t"
    "add r2, r2, r2, lsl #1\n\t"
    "add r2, r12, r2, lsl #4\n\t"
    "str r2, [sp, #16]\n\t"
    "ldmia r1, {r0, r1, r2, r3}\n\t"
    "stmia.w sp, {r0, r1, r2, r3}\n\t"
    "1:\n\t" /* row 0, the steps to the other rows and to the next column */
    "ldmia.w sp, {r0, r1, r2, r3}\n\t"
    "ldr r4, [r0]\n\t"
    "ldr r5, [r0, r1]\n\t"
    "ldr r6, [r0, r2]\n\t"
    "add r0, r0, r3\n\t"
    "ldr r7, [r0]\n\t"
    "ldr r8, [r0, r1]\n\t"
    "ldr r9, [r0, r2]\n\t"
    "add r0, r0, r3\n\t"
    "str r0, [sp]\n\t"
    EK_PACK_TWO_CHANNELS("")
    EK_PACK_TWO_CHANNELS(", ror #8")
    "ldr r0, [sp, #16]\n\t"
    "cmp r0, r12\n\t"
    "bne.n 1b\n\t"
    "add sp, #24\n\t"
    "pop {r3-r11, lr}\n\t"
    : "+r"(r0), "+r"(r1), "+r"(r2) : : "r12", "cc", "memory");
/* clang-format on */
#undef EK_PACK_TWO_CHANNELS
  return r0;
}

/* Assembly: the compiler cannot keep weights, sums and strip in registers together. Each function restores
 * all that a caller may hold, so that it builds at every optimization level. Its frame: 0 multiplier, 4
 * rounding, 8 shift, 12 output, 16 step, 20 end of the strip, 24 channels, 28 output of the next channel, 32
 * strip of the next channel, 36 whether a last output stands alone. */
/* clang-format off */
#define EK_STRIP_ARGUMENTS \
  register const uint32_t *r0 __asm__("r0") = strip; \
  register const int32_t *r1 __asm__("r1") = channels; \
  register int8_t *r2 __asm__("r2") = output; \
  register int32_t r3 __asm__("r3") = step; \
  register int32_t r4 __asm__("r4") = outputs;

#define EK_STRIP_OPERANDS \
  "+r"(r0), "+r"(r1), "+r"(r2), "+r"(r3), "+r"(r4) : : "r12", "cc", "memory"

/* The frame; r4 is how many times two columns follow the first two. */
#define EK_STRIP_ENTER \
  "push {r5-r11, lr}\n\t" \
  "sub sp, #40\n\t" \
  "str r3, [sp, #16]\n\t" \
  "and r3, r4, #1\n\t" \
  "str r3, [sp, #36]\n\t"

#define EK_STRIP_FRAME \
  "add r4, r4, r4, lsl #1\n\t" \
  "add r4, r0, r4, lsl #4\n\t" \
  "add r4, r4, #36\n\t" /* the end, less what the first channel adds */ \
  "strd r4, r1, [sp, #20]\n\t" \
  "strd r2, r0, [sp, #28]\n\t"

#define EK_STRIP_LEAVE \
  "add sp, #40\n\t" \
  "pop {r5-r11, lr}\n\t"

/* Begins a channel: its first six words in r1 to r6, the others in the frame. */
#define EK_STRIP_CHANNEL \
  "1:\n\t" \
  "ldrd r11, r12, [sp, #20]\n\t" \
  "ldrd r9, r0, [sp, #28]\n\t" \
  "ldmia.w r12!, {r1-r6}\n\t" \
  "add r11, r11, #12\n\t" \
  "add r10, r0, #12\n\t" \
  "str r9, [sp, #12]\n\t" \
  "ldmia.w r12!, {r7, r8, lr}\n\t" \
  "stmia.w sp, {r7, r8, lr}\n\t" \
  "strd r11, r12, [sp, #20]\n\t" \
  "add r7, r9, lr, asr #8\n\t" \
  "str r7, [sp, #28]\n\t" \
  "str r10, [sp, #32]\n\t"

#define EK_STRIP_NEXT_CHANNEL \
  "ldr r11, [sp, #8]\n\t" \
  "lsrs r11, r11, #8\n\t" \
  "bne.w 1b\n\t"

#define EK_STRIP_LOAD \
  "ldmia.w r0, {r11, r12, lr}\n\t" \
  "add r0, r0, #48\n\t"

#define EK_STRIP_AT_END \
  "ldr r11, [sp, #20]\n\t" \
  "cmp r0, r11\n\t"

/* From sums to outputs but for the last shift. SIGNED rounds halves of negative sums away from zero, which is
 * not needed where negative sums end at the lower limit. r11 is the multiplier, r12 the rounding. */
#define EK_STRIP_ONE_SIGNED(P) \
  "add r12, r12, " P ", asr #31\n\t" \
  "smmlar " P ", " P ", r11, r12\n\t"

#define EK_STRIP_TWO_SIGNED(P, Q) \
  "smmulr " P ", " P ", r11\n\t" \
  "add " P ", " P ", " P ", asr #31\n\t" \
  "add " P ", " P ", r12\n\t" \
  EK_STRIP_ONE_SIGNED(Q)

#define EK_STRIP_ONE_RELU(P) \
  "smmlar " P ", " P ", r11, r12\n\t"

#define EK_STRIP_TWO_RELU(P, Q) \
  EK_STRIP_ONE_RELU(P) EK_STRIP_ONE_RELU(Q)

/* Finishes the outputs P, Q and starts the outputs M, N, at stride 1. */
#define EK_STRIP_TWO_OUTPUTS(SCALE_TWO, P, Q, M, N) \
  EK_STRIP_LOAD \
  "smlad " M ", r11, r1, r6\n\t" \
  "smlad " P ", r11, r3, " P "\n\t" \
  "smlad " Q ", r11, r2, " Q "\n\t" \
  "smlad " M ", r12, r2, " M "\n\t" \
  "smlad " N ", r12, r1, r6\n\t" \
  "smlad " Q ", r12, r3, " Q "\n\t" \
  "smlad " M ", lr, r4, " M "\n\t" \
  "smlabt " P ", lr, r5, " P "\n\t" \
  "smlad " Q ", lr, r5, " Q "\n\t" \
  "smlatb " N ", lr, r4, " N "\n\t" \
  "ldmia.w sp, {r11, r12, lr}\n\t" \
  SCALE_TWO(P, Q) \
  "asr " P ", " P ", lr\n\t" \
  "asr " Q ", " Q ", lr\n\t" \
  "ssat " P ", #8, " P "\n\t" \
  "ssat " Q ", #8, " Q "\n\t" \
  "ldrd r11, r12, [sp, #12]\n\t" \
  "strb " P ", [r11]\n\t" \
  "strb " Q ", [r11, r12]\n\t" \
  "add r11, r11, r12, lsl #1\n\t" \
  "str r11, [sp, #12]\n\t" \
  EK_STRIP_AT_END

/* Defines NAME(strip, channels, output, step, outputs): a row of outputs, `step` bytes apart, of four channels,
 * at stride 1. */
#define EK_STRIP_STRIDE_1(NAME, ONE, TWO) \
  static __attribute__((noinline)) void NAME(const uint32_t *strip, const int32_t *channels, int8_t *output, \
                                             int32_t step, int32_t outputs) { \
    EK_STRIP_ARGUMENTS \
    __asm__ volatile( \
      EK_STRIP_ENTER \
      "lsr r4, r4, #1\n\t" \
      EK_STRIP_FRAME \
      EK_STRIP_CHANNEL \
      EK_STRIP_LOAD \
      "smlad r7, r11, r1, r6\n\t" \
      "smlad r7, r12, r2, r7\n\t" \
      "smlad r8, r12, r1, r6\n\t" \
      "smlad r7, lr, r4, r7\n\t" \
      "smlatb r8, lr, r4, r8\n\t" \
      EK_STRIP_AT_END \
      "beq.w 4f\n\t" \
      "2:\n\t" \
      EK_STRIP_TWO_OUTPUTS(TWO, "r7", "r8", "r9", "r10") \
      "beq.w 3f\n\t" \
      EK_STRIP_TWO_OUTPUTS(TWO, "r9", "r10", "r7", "r8") \
      "bne.w 2b\n\t" \
      "b.n 4f\n\t" \
      "3:\n\t" \
      "mov r7, r9\n\t" \
      "4:\n\t" /* a last output may stand alone */ \
      "ldr r11, [sp, #36]\n\t" \
      "cmp r11, #0\n\t" \
      "beq.n 5f\n\t" \
      EK_STRIP_LOAD \
      "smlad r7, r11, r3, r7\n\t" \
      "smlabt r7, lr, r5, r7\n\t" \
      "ldmia.w sp, {r11, r12, lr}\n\t" \
      ONE("r7") \
      "asr r7, r7, lr\n\t" \
      "ssat r7, #8, r7\n\t" \
      "ldr r11, [sp, #12]\n\t" \
      "strb r7, [r11]\n\t" \
      "5:\n\t" \
      EK_STRIP_NEXT_CHANNEL \
      EK_STRIP_LEAVE \
      : EK_STRIP_OPERANDS); \
  }

/* The same at stride 2. */
#define EK_STRIP_STRIDE_2(NAME, ONE, TWO) \
  static __attribute__((noinline)) void NAME(const uint32_t *strip, const int32_t *channels, int8_t *output, \
                                             int32_t step, int32_t outputs) { \
    EK_STRIP_ARGUMENTS \
    __asm__ volatile( \
      EK_STRIP_ENTER \
      EK_STRIP_FRAME \
      EK_STRIP_CHANNEL \
      "ldr r10, [sp, #16]\n\t" \
      EK_STRIP_LOAD \
      "smlad r8, r11, r1, r6\n\t" \
      "smlad r8, r12, r2, r8\n\t" \
      "smlad r8, lr, r4, r8\n\t" \
      "2:\n\t" \
      EK_STRIP_LOAD \
      "smlad r7, r11, r3, r8\n\t" \
      "smlad r8, r11, r1, r6\n\t" \
      "smlabt r7, lr, r5, r7\n\t" \
      "smlad r8, r12, r2, r8\n\t" \
      "smlad r8, lr, r4, r8\n\t" \
      "ldmia.w sp, {r11, r12, lr}\n\t" \
      ONE("r7") \
      "asr r7, r7, lr\n\t" \
      "ssat r7, #8, r7\n\t" \
      "strb r7, [r9]\n\t" \
      "add r9, r9, r10\n\t" \
      EK_STRIP_AT_END \
      "bne.n 2b\n\t" \
      EK_STRIP_NEXT_CHANNEL \
      EK_STRIP_LEAVE \
      : EK_STRIP_OPERANDS); \
  }
/* clang-format on */

#else

static inline uint32_t *ek_pack_columns(uint32_t *to, const ek_columns *from, int32_t pairs) {
  const int8_t *column = from->first;
  for (int32_t i = 0; i < pairs; ++i, column += 2 * from->step) {
    uint32_t a[3];
    uint32_t b[3];
    for (int row = 0; row < 3; ++row) {
      const int32_t behind[3] = {0, from->second, from->third};
      a[row] = ek_load_word(column + behind[row]);
      b[row] = ek_load_word(column + behind[row] + from->step);
    }
    for (int odd = 0; odd < 2; ++odd) {
      uint32_t halves[6];
      for (int row = 0; row < 3; ++row) {
        halves[row] = odd ? ek_odd_bytes(a[row]) : ek_even_bytes(a[row]);
        halves[row + 3] = odd ? ek_odd_bytes(b[row]) : ek_even_bytes(b[row]);
      }
      to[0] = ek_low_halves(halves[0], halves[1]);
      to[1] = ek_low_halves(halves[3], halves[4]);
      to[2] = ek_low_halves(halves[2], halves[5]);
      to[3] = ek_high_halves(halves[0], halves[1]);
      to[4] = ek_high_halves(halves[3], halves[4]);
      to[5] = ek_high_halves(halves[2], halves[5]);
      to += 6;
    }
  }
  return to;
}

/* What is added to the rounding of a sum. */
#define EK_STRIP_ONE_SIGNED(sum) ((sum) >> 31)
#define EK_STRIP_TWO_SIGNED(sum) ((sum) >> 31)
#define EK_STRIP_ONE_RELU(sum) 0
#define EK_STRIP_TWO_RELU(sum) 0

#define EK_STRIP_STRIDE_1(NAME, ONE, TWO) EK_STRIP_IN_C(NAME, ONE, 1)
#define EK_STRIP_STRIDE_2(NAME, ONE, TWO) EK_STRIP_IN_C(NAME, ONE, 2)

#define EK_STRIP_IN_C(NAME, SIGN, STRIDE)                                                                    \
  static inline void NAME(const uint32_t *strip, const int32_t *channels, int8_t *output, int32_t step,      \
                          int32_t outputs) {                                                                 \
    int32_t next = 1;                                                                                        \
    for (; next != 0; strip += 3, channels += EK_STRIP_CHANNEL_WORDS, output += next) {                      \
      for (int32_t x = 0; x < outputs; ++x) {                                                                \
        const int32_t sum = ek_strip_sum(strip, channels, STRIDE * x);                                       \
        const int32_t scaled = ek_multiply_upper(sum, channels[6], channels[7] + SIGN(sum));                 \
        output[x * step] = (int8_t)ek_saturate(scaled >> (channels[8] & 0xFF));                              \
      }                                                                                                      \
      next = channels[8] >> 8;                                                                               \
    }                                                                                                        \
  }

/* The sum of the window that begins at a column, of one channel. */
static inline int32_t ek_strip_sum(const uint32_t *strip, const int32_t *channel, int32_t column) {
  const uint32_t *first = strip + column / 2 * EK_STRIP_COLUMNS_WORDS;
  const uint32_t *second = first + EK_STRIP_COLUMNS_WORDS;
  int32_t sum = channel[5];
  for (int32_t i = column % 2; i < column % 2 + 3; ++i) {
    sum = ek_multiply_pairs(i < 2 ? first[i] : second[i - 2], (uint32_t)channel[i - column % 2], sum);
  }
  const uint32_t low = column % 2 == 0 ? first[2] : ek_high_halves(first[2], second[2] << 16);
  const uint32_t high = column % 2 == 0 ? second[2] : second[2] >> 16;
  sum = ek_multiply_pairs(low, (uint32_t)channel[3], sum);
  return ek_multiply_pairs(high & 0xFFFFu, (uint32_t)channel[4] >> 16, sum);
}

#endif

#endif
