/* Two pixels times four channels at a time, for all channels: the inner loop of convolution on Armv7E-M.
 * Twin: edgekit/engine/cores/dsp/_tile.py.
 *
 * The pixels lie side by side in words of two halves: for each four depths k the words (k, k + 2) of pixel 0
 * and of pixel 1, then (k + 1, k + 3) of both: the order that SXTB16 gives. The weights are one stream of
 * words in the order in which they are used, in blocks of four channels; the last block is of the last four.
 *
 * Wide: 4 biases and the weights, all doubled, in halves; for each channel multiplier, rounding and shift.
 * Above the low byte, a block's last shift says how many bytes of the output the next block steps back, and
 * is negative where no block follows. Narrow: first of all the rounding of shift 1, and the number of blocks
 * with the step back to the last of them above 16 bits. A block is 4 biases, the weights in bytes, those of
 * two channels in one word, a byte shift - 1 for each channel, and 4 multipliers.
 *
 * The compiler cannot keep eight sums, both streams and four operands in registers: the inner loop is
 * assembly, which needs r0 to r12 and lr. It keeps its other values on the stack and restores all that a
 * caller may hold, so that it builds at every optimization level. */
#ifndef EK_TILE_DSP_H
#define EK_TILE_DSP_H

#include "simd.dsp.h"

#include <stdint.h>

#ifdef __ARM_FEATURE_DSP

/* clang-format off */
/* Two depths of four channels, their weights twice their value in halves: 11 instructions, 44 bytes. */
#define EK_PAIR_STEP_WIDE \
  "ldmia.w r1!, {r2, r3}\n\t" \
  "ldmia.w r0!, {r12, lr}\n\t" \
  "smlad r4, r12, r2, r4\n\t" \
  "smlad r8, r12, r3, r8\n\t" \
  "smlad r5, lr, r2, r5\n\t" \
  "smlad r9, lr, r3, r9\n\t" \
  "ldmia.w r0!, {r12, lr}\n\t" \
  "smlad r6, r12, r2, r6\n\t" \
  "smlad r10, r12, r3, r10\n\t" \
  "smlad r7, lr, r2, r7\n\t" \
  "smlad r11, lr, r3, r11\n\t"

/* The same from bytes, those of two channels in one word: 15 instructions, 60 bytes. */
#define EK_PAIR_STEP_NARROW \
  "ldmia.w r1!, {r2, r3}\n\t" \
  "ldr.w r12, [r0], #4\n\t" \
  "sxtb16.w lr, r12\n\t" \
  "smlad r4, lr, r2, r4\n\t" \
  "smlad r8, lr, r3, r8\n\t" \
  "sxtb16.w r12, r12, ror #8\n\t" \
  "smlad r5, r12, r2, r5\n\t" \
  "smlad r9, r12, r3, r9\n\t" \
  "ldr.w r12, [r0], #4\n\t" \
  "sxtb16.w lr, r12\n\t" \
  "smlad r6, lr, r2, r6\n\t" \
  "smlad r10, lr, r3, r10\n\t" \
  "sxtb16.w r12, r12, ror #8\n\t" \
  "smlad r7, r12, r2, r7\n\t" \
  "smlad r11, r12, r3, r11\n\t"

/* From sums to outputs, but for the last shift; r2 is the multiplier, r3 the rounding. SIGNED rounds halves of
 * negative sums away from zero, which is not needed where negative sums end at the lower limit. The first
 * channel finds no free register, the others may use TEMPORARY. */
#define EK_PAIR_FIRST_SIGNED(A, B) \
  "smmulr " A ", " A ", r2\n\t" \
  "add " A ", " A ", " A ", asr #31\n\t" \
  "add " A ", " A ", r3\n\t" \
  "add r3, r3, " B ", asr #31\n\t" \
  "smmlar " B ", " B ", r2, r3\n\t"
#define EK_PAIR_OTHER_SIGNED(A, B, TEMPORARY) \
  "add " TEMPORARY ", r3, " A ", asr #31\n\t" \
  "smmlar " A ", " A ", r2, " TEMPORARY "\n\t" \
  "add r3, r3, " B ", asr #31\n\t" \
  "smmlar " B ", " B ", r2, r3\n\t"
#define EK_PAIR_FIRST_RELU(A, B) \
  "smmlar " A ", " A ", r2, r3\n\t" \
  "smmlar " B ", " B ", r2, r3\n\t"
#define EK_PAIR_OTHER_RELU(A, B, TEMPORARY) EK_PAIR_FIRST_RELU(A, B)

/* One channel of both pixels; r1 is where its output goes, lr how far the second stands behind the first. */
#define EK_PAIR_CHANNEL_WIDE(SCALE, A, B) \
  "ldmia.w r0!, {r2, r3, r12}\n\t" \
  SCALE \
  "asr " A ", " A ", r12\n\t" \
  "asr " B ", " B ", r12\n\t" \
  "ssat " A ", #8, " A "\n\t" \
  "ssat " B ", #8, " B "\n\t" \
  "strb " B ", [r1, lr]\n\t" \
  "strb " A ", [r1], #1\n\t"
#define EK_PAIR_CHANNEL_NARROW(SCALE, A, B) \
  "ldr r2, [r0], #4\n\t" \
  "ldr r3, [sp, #20]\n\t" \
  "lsl r3, r3, r12\n\t" \
  "lsl " A ", " A ", #1\n\t" \
  "lsl " B ", " B ", #1\n\t" \
  SCALE \
  "asr " A ", " A ", r12\n\t" \
  "asr " B ", " B ", r12\n\t" \
  "ssat " A ", #8, " A ", asr #1\n\t" \
  "ssat " B ", #8, " B ", asr #1\n\t" \
  "strb " B ", [r1, lr]\n\t" \
  "strb " A ", [r1], #1\n\t" \
  "lsr r12, r12, #8\n\t"

/* On to the next block, if there is one. */
#define EK_PAIR_NEXT_WIDE \
  "sub r1, r1, r12, asr #8\n\t" \
  "str r1, [sp, #8]\n\t" \
  "cmp r12, #0\n\t" \
  "bge.w 1b\n\t"
#define EK_PAIR_NEXT_NARROW \
  "ldr r2, [sp, #24]\n\t" \
  "sub r2, r2, #1\n\t" \
  "str r2, [sp, #24]\n\t" \
  "uxth r3, r2\n\t" \
  "cmp r3, #1\n\t" \
  "it eq\n\t" \
  "subeq r1, r1, r2, lsr #16\n\t" \
  "str r1, [sp, #8]\n\t" \
  "cmp r3, #0\n\t" \
  "bne.w 1b\n\t"

/* The sums of a block of four channels, r4 to r7 of pixel 0, r8 to r11 of pixel 1, that begin as biases; r1 stands
 * at the pixels. Dense weights: four groups a round, of which the first round skips some, so that the last one ends
 * with the last group. */
#define EK_PAIR_DENSE(STEP) \
  "ldr r2, [sp, #16]\n\t" \
  "bx r2\n\t" \
  ".p2align 2\n\t" \
  "2:\n\t" /* four groups */ \
  STEP STEP STEP STEP STEP STEP STEP STEP \
  "ldr r2, [sp]\n\t" \
  "cmp r1, r2\n\t" \
  "bne.w 2b\n\t"
/* Where the first round enters. */
#define EK_PAIR_DENSE_BEGIN(STEP_BYTES) \
  "add r1, r1, r2, lsl #4\n\t" \
  "str r1, [sp]\n\t" \
  "rsb r2, r2, #0\n\t" \
  "and r2, r2, #3\n\t" \
  "movs r3, #" STEP_BYTES "*2\n\t" \
  "mul r2, r2, r3\n\t" \
  "adr.w r3, 2f\n\t" \
  "add r2, r2, r3\n\t" \
  "orr r2, r2, #1\n\t" \
  "str r2, [sp, #16]\n\t"

/* The frame: 0 end of the pixels, 4 pixels, 8 output, 12 second, 16 where the first round enters dense weights; of
 * narrow streams 20 rounding, 24 blocks left. */
#define EK_PAIR_TILE(NAME, BEGIN, SUMS, SHIFTS, CHANNEL, FIRST, OTHER, NEXT) \
  static __attribute__((noinline)) void NAME(const int32_t *blocks, uint32_t *pixels, int32_t groups, \
                                             int8_t *output, int32_t second) { \
    register const int32_t *r0 __asm__("r0") = blocks; \
    register uint32_t *r1 __asm__("r1") = pixels; \
    register int32_t r2 __asm__("r2") = groups; \
    register int8_t *r3 __asm__("r3") = output; \
    register int32_t r4 __asm__("r4") = second; \
    __asm__ volatile( \
      "push {r5-r11, lr}\n\t" \
      "sub sp, #32\n\t" \
      "strd r1, r3, [sp, #4]\n\t" \
      "str r4, [sp, #12]\n\t" \
      BEGIN \
      "1:\n\t" /* a block of four channels */ \
      "ldr r1, [sp, #4]\n\t" \
      "ldmia.w r0, {r8-r11}\n\t" \
      "ldmia.w r0!, {r4-r7}\n\t" \
      SUMS \
      "ldrd r1, lr, [sp, #8]\n\t" \
      SHIFTS \
      CHANNEL(FIRST("r4", "r8"), "r4", "r8") \
      CHANNEL(OTHER("r5", "r9", "r4"), "r5", "r9") \
      CHANNEL(OTHER("r6", "r10", "r4"), "r6", "r10") \
      CHANNEL(OTHER("r7", "r11", "r4"), "r7", "r11") \
      NEXT \
      "add sp, #32\n\t" \
      "pop {r5-r11, lr}\n\t" \
      : "+r"(r0), "+r"(r1), "+r"(r2), "+r"(r3), "+r"(r4) : : "r12", "cc", "memory"); \
  }
#define EK_PAIR_WIDE(NAME, BEGIN, SUMS, FIRST, OTHER) \
  EK_PAIR_TILE(NAME, BEGIN, SUMS, "", EK_PAIR_CHANNEL_WIDE, FIRST, OTHER, EK_PAIR_NEXT_WIDE)
#define EK_PAIR_NARROW(NAME, BEGIN, SUMS, FIRST, OTHER) \
  EK_PAIR_TILE(NAME, BEGIN "ldmia.w r0!, {r2, r3}\n\tstrd r2, r3, [sp, #20]\n\t", SUMS, \
               "ldr r12, [r0], #4\n\t", EK_PAIR_CHANNEL_NARROW, FIRST, OTHER, EK_PAIR_NEXT_NARROW)

/* Defines NAME(blocks, pixels, groups, output, second): all channels of two pixels.
 * pixels: (groups, 2, 2 pixels) words; output: (channels) bytes, those of pixel 1 `second` bytes behind. */
#define EK_PAIR_TILE_WIDE(NAME, FIRST, OTHER) \
  EK_PAIR_WIDE(NAME, EK_PAIR_DENSE_BEGIN("44"), EK_PAIR_DENSE(EK_PAIR_STEP_WIDE), FIRST, OTHER)
#define EK_PAIR_TILE_NARROW(NAME, FIRST, OTHER) \
  EK_PAIR_NARROW(NAME, EK_PAIR_DENSE_BEGIN("60"), EK_PAIR_DENSE(EK_PAIR_STEP_NARROW), FIRST, OTHER)

/* Widens `words` words of two pixels side by side to `to`; see above. Returns where they end. */
static __attribute__((noinline)) uint32_t *ek_widen_two(uint32_t *to, const int8_t *pixel_0,
                                                        const int8_t *pixel_1, int32_t words) {
  register uint32_t *r0 __asm__("r0") = to;
  register const int8_t *r1 __asm__("r1") = pixel_0;
  register const int8_t *r2 __asm__("r2") = pixel_1;
  register int32_t r3 __asm__("r3") = words;
#define EK_WIDEN_STEP                                                                                        \
  "ldr r12, [r1], #4\n\t"                                                                                    \
  "ldr r8, [r2], #4\n\t"                                                                                     \
  "sxtb16 r4, r12\n\t"                                                                                       \
  "sxtb16 r5, r8\n\t"                                                                                        \
  "sxtb16 r6, r12, ror #8\n\t"                                                                               \
  "sxtb16 r8, r8, ror #8\n\t"                                                                                \
  "stmia.w r0!, {r4, r5, r6, r8}\n\t"
  __asm__ volatile("lsrs r3, r3, #1\n\t"
                   "bcc.n 1f\n\t" EK_WIDEN_STEP "1:\n\t"
                   "cbz r3, 3f\n\t"
                   "2:\n\t" EK_WIDEN_STEP EK_WIDEN_STEP "subs r3, #1\n\t"
                   "bne.n 2b\n\t"
                   "3:\n\t"
                   : "+r"(r0), "+r"(r1), "+r"(r2), "+r"(r3)
                   :
                   : "r4", "r5", "r6", "r8", "r12", "cc", "memory");
#undef EK_WIDEN_STEP
  return r0;
}

/* Widens `rows` rows of `words` words of two pixels, the second `step` bytes behind the first, rows `pitch` bytes
 * apart, side by side to `to`. */
static __attribute__((noinline)) void ek_widen_rows(uint32_t *to, const int8_t *pixel, int32_t step, int32_t words,
                                                    int32_t rows, int32_t pitch) {
  register uint32_t *r0 __asm__("r0") = to;
  register const int8_t *r1 __asm__("r1") = pixel;
  register int32_t r2 __asm__("r2") = step;
  register int32_t r3 __asm__("r3") = words;
  register int32_t r4 __asm__("r4") = rows;
  register int32_t r5 __asm__("r5") = pitch - 4 * words;
  __asm__ volatile(
    "1:\n\t"
    "mov r6, r3\n\t"
    "2:\n\t"
    "ldr r11, [r1, r2]\n\t"
    "ldr r10, [r1], #4\n\t"
    "sxtb16 r9, r11\n\t"
    "sxtb16 r8, r10\n\t"
    "sxtb16 r11, r11, ror #8\n\t"
    "sxtb16 r10, r10, ror #8\n\t"
    "stmia.w r0!, {r8, r9, r10, r11}\n\t"
    "subs r6, #1\n\t"
    "bne.n 2b\n\t"
    "add r1, r5\n\t"
    "subs r4, #1\n\t"
    "bne.n 1b\n\t"
    : "+r"(r0), "+r"(r1), "+r"(r2), "+r"(r3), "+r"(r4), "+r"(r5)
    : : "r6", "r8", "r9", "r10", "r11", "cc", "memory");
}
/* clang-format on */

#else

/* Two depths of four channels of both pixels; returns the weights behind. */
static inline const int32_t *ek_pair_step_wide(const int32_t *weights, const uint32_t pixels[2],
                                               int32_t sums[8]) {
  for (int channel = 0; channel < 4; ++channel) {
    sums[channel] = ek_multiply_pairs((uint32_t)weights[channel], pixels[0], sums[channel]);
    sums[channel + 4] = ek_multiply_pairs((uint32_t)weights[channel], pixels[1], sums[channel + 4]);
  }
  return weights + 4;
}

static inline const int32_t *ek_pair_step_narrow(const int32_t *weights, const uint32_t pixels[2],
                                                 int32_t sums[8]) {
  for (int channel = 0; channel < 4; ++channel) {
    const uint32_t word = (uint32_t)weights[channel / 2];
    const uint32_t pair = channel % 2 == 0 ? ek_even_bytes(word) : ek_odd_bytes(word);
    sums[channel] = ek_multiply_pairs(pair, pixels[0], sums[channel]);
    sums[channel + 4] = ek_multiply_pairs(pair, pixels[1], sums[channel + 4]);
  }
  return weights + 2;
}

/* What is added to the rounding of a sum. */
#define EK_PAIR_FIRST_SIGNED(sum) ((sum) >> 31)
#define EK_PAIR_OTHER_SIGNED(sum) ((sum) >> 31)
#define EK_PAIR_FIRST_RELU(sum) 0
#define EK_PAIR_OTHER_RELU(sum) 0

/* The output of a doubled sum. */
static inline int8_t ek_pair_output(int32_t sum, int32_t multiplier, int32_t rounding, int32_t shift) {
  return (int8_t)ek_saturate(ek_multiply_upper(sum, multiplier, rounding) >> shift);
}

static inline const int32_t *ek_pair_sums_wide(const int32_t *weights, const uint32_t *pixels, int32_t groups,
                                               int32_t sums[8]) {
  for (int32_t half = 0; half < 2 * groups; ++half) {
    weights = ek_pair_step_wide(weights, pixels + 2 * half, sums);
  }
  return weights;
}

static inline const int32_t *ek_pair_sums_narrow(const int32_t *weights, const uint32_t *pixels,
                                                 int32_t groups, int32_t sums[8]) {
  for (int32_t half = 0; half < 2 * groups; ++half) {
    weights = ek_pair_step_narrow(weights, pixels + 2 * half, sums);
  }
  return weights;
}

/* SUMS(weights, pixels, groups, sums) adds up and returns the words behind the weights. */
#define EK_PAIR_WIDE(NAME, SUMS, FIRST, OTHER)                                                               \
  static inline void NAME(const int32_t *blocks, uint32_t *pixels, int32_t groups, int8_t *output,           \
                          int32_t second) {                                                                  \
    for (int32_t shift = 0; shift >= 0; output -= shift >> 8) {                                              \
      int32_t sums[8];                                                                                       \
      for (int i = 0; i < 8; ++i) {                                                                          \
        sums[i] = blocks[i & 3];                                                                             \
      }                                                                                                      \
      blocks = SUMS(blocks + 4, pixels, groups, sums);                                                       \
      for (int channel = 0; channel < 4; ++channel, blocks += 3, ++output) {                                 \
        const int32_t sum_0 = sums[channel];                                                                 \
        const int32_t sum_1 = sums[channel + 4];                                                             \
        shift = blocks[2];                                                                                   \
        output[second] = ek_pair_output(sum_1, blocks[0], blocks[1] + OTHER(sum_1), shift & 0xFF);           \
        output[0] = ek_pair_output(sum_0, blocks[0], blocks[1] + OTHER(sum_0), shift & 0xFF);                \
      }                                                                                                      \
    }                                                                                                        \
  }

#define EK_PAIR_NARROW(NAME, SUMS, FIRST, OTHER)                                                             \
  static inline void NAME(const int32_t *blocks, uint32_t *pixels, int32_t groups, int8_t *output,           \
                          int32_t second) {                                                                  \
    const int32_t one = blocks[0];                                                                           \
    const int32_t back = blocks[1] >> 16;                                                                    \
    int32_t left = blocks[1] & 0xFFFF;                                                                       \
    blocks += 2;                                                                                             \
    for (; left > 0; --left, output -= left == 1 ? back : 0) {                                               \
      int32_t sums[8];                                                                                       \
      for (int i = 0; i < 8; ++i) {                                                                          \
        sums[i] = blocks[i & 3];                                                                             \
      }                                                                                                      \
      blocks = SUMS(blocks + 4, pixels, groups, sums);                                                       \
      uint32_t shifts = (uint32_t)*blocks++;                                                                 \
      for (int channel = 0; channel < 4; ++channel, ++output, shifts >>= 8) {                                \
        const int32_t sum_0 = 2 * sums[channel];                                                             \
        const int32_t sum_1 = 2 * sums[channel + 4];                                                         \
        const int32_t shift = (int32_t)(shifts & 0xFF) + 1;                                                  \
        const int32_t rounding = one * (1 << (shift - 1));                                                   \
        const int32_t multiplier = *blocks++;                                                                \
        output[second] = ek_pair_output(sum_1, multiplier, rounding + OTHER(sum_1), shift);                  \
        output[0] = ek_pair_output(sum_0, multiplier, rounding + OTHER(sum_0), shift);                       \
      }                                                                                                      \
    }                                                                                                        \
  }

#define EK_PAIR_TILE_WIDE(NAME, FIRST, OTHER) EK_PAIR_WIDE(NAME, ek_pair_sums_wide, FIRST, OTHER)
#define EK_PAIR_TILE_NARROW(NAME, FIRST, OTHER) EK_PAIR_NARROW(NAME, ek_pair_sums_narrow, FIRST, OTHER)

static inline uint32_t *ek_widen_two(uint32_t *to, const int8_t *pixel_0, const int8_t *pixel_1,
                                     int32_t words) {
  for (; words > 0; --words, pixel_0 += 4, pixel_1 += 4) {
    const uint32_t word_0 = ek_load_word(pixel_0);
    const uint32_t word_1 = ek_load_word(pixel_1);
    *to++ = ek_even_bytes(word_0);
    *to++ = ek_even_bytes(word_1);
    *to++ = ek_odd_bytes(word_0);
    *to++ = ek_odd_bytes(word_1);
  }
  return to;
}

static inline void ek_widen_rows(uint32_t *to, const int8_t *pixel, int32_t step, int32_t words, int32_t rows,
                                 int32_t pitch) {
  for (; rows > 0; --rows, pixel += pitch) {
    to = ek_widen_two(to, pixel, pixel + step, words);
  }
}

#endif

/* Widens the first `bytes` bytes of two pixels, zeros behind them up to a whole word. */
static inline void ek_widen_pixels(uint32_t *to, const int8_t *pixel_0, const int8_t *pixel_1,
                                   int32_t bytes) {
  const int32_t whole = bytes & ~3;
  to = ek_widen_two(to, pixel_0, pixel_1, whole >> 2);
  if (bytes != whole) {
    const uint32_t word_0 = ek_load_part(pixel_0 + whole, bytes - whole);
    const uint32_t word_1 = ek_load_part(pixel_1 + whole, bytes - whole);
    to[0] = ek_even_bytes(word_0);
    to[1] = ek_even_bytes(word_1);
    to[2] = ek_odd_bytes(word_0);
    to[3] = ek_odd_bytes(word_1);
  }
}

#endif
