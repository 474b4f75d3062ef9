/* Four channels of a run of pixels: the tile of tile.dsp.h with the pixels in its inner loop, so that the
 * weights of a block, however they are stored, are widened once for all of them.
 *
 * A run is records of two pixels: their words as in tile.dsp.h, how far the output of pixel 0 stands behind
 * the first byte of the tensor, and that of pixel 1 behind that of pixel 0. A block is 4 biases, the weights
 * as in a wide block, and for each channel multiplier, rounding and shift.
 *
 * Biases and weights are 2^raise times their value, raise >= 2, which is what widening costs least for. A
 * shift is that of tile.dsp.h and raise - 1; then a sum need not be rounded before it is shifted: its
 * rounding is that of tile.dsp.h, raised as much, and half of 2^(raise - 1). */
#ifndef EK_RUN_TILE_DSP_H
#define EK_RUN_TILE_DSP_H

#include "tile.dsp.h"

#define EK_RECORD_WORDS(groups) (4 * (groups) + 2)

/* Pairs of neighbors whose windows are rows of whole words. */
typedef struct {
  uint32_t *to;        /* their records */
  const int8_t *pixel; /* the window of the first one */
  int32_t step;        /* bytes from one pixel to the next */
  int32_t words;       /* of a row */
  int32_t rows;
  int32_t gap; /* bytes from the end of a row to the next */
  int32_t pairs;
  int32_t offset; /* of the first output */
  int32_t second; /* from one output to the next */
} ek_stretch;

#ifdef __ARM_FEATURE_DSP

/* clang-format off */
/* Writes what stands around the weights of a block, `ends` behind them. scales: 4 biases, a byte of each shift, 4
 * multipliers; rounding: of shift 1. */
static __attribute__((noinline)) void ek_frame_block(const int32_t *scales, int32_t rounding, int32_t raise,
                                                     uint32_t *block, uint32_t *ends) {
  register const int32_t *r0 __asm__("r0") = scales;
  register int32_t r1 __asm__("r1") = rounding;
  register int32_t r2 __asm__("r2") = raise;
  register uint32_t *r3 __asm__("r3") = block;
  register uint32_t *r4 __asm__("r4") = ends;
#define EK_FRAME_CHANNEL(SHIFT) \
  "ldr r5, [r0], #4\n\t" \
  "uxtb r8, r10" SHIFT "\n\t" \
  "sub r6, r8, #1\n\t" \
  "lsl r6, r1, r6\n\t" \
  "add r6, r6, r9\n\t" \
  "stmia.w r4!, {r5, r6, r8}\n\t"
  __asm__ volatile(
    "ldmia.w r0!, {r5, r6, r8, r9, r10}\n\t"
    "lsl r5, r5, r2\n\t"
    "lsl r6, r6, r2\n\t"
    "lsl r8, r8, r2\n\t"
    "lsl r9, r9, r2\n\t"
    "stmia.w r3, {r5, r6, r8, r9}\n\t"
    "mov r9, #1\n\t"
    "sub r2, r2, #2\n\t"
    "lsl r9, r9, r2\n\t"
    EK_FRAME_CHANNEL("")
    EK_FRAME_CHANNEL(", ror #8")
    EK_FRAME_CHANNEL(", ror #16")
    EK_FRAME_CHANNEL(", ror #24")
    : "+r"(r0), "+r"(r1), "+r"(r2), "+r"(r3), "+r"(r4) : : "r5", "r6", "r8", "r9", "r10", "memory");
#undef EK_FRAME_CHANNEL
}

/* Writes the records of a stretch of one pair or more; moves offset on and counts pairs down to 0. r0 record, r1
 * pixel, r2 step, r3 words, r4 rows, r5 gap, r6 words left, r7 the first row, r12 stretch, lr rows left. */
static __attribute__((noinline)) void ek_widen_stretch(ek_stretch *stretch) {
  register ek_stretch *r0 __asm__("r0") = stretch;
  __asm__ volatile(
    "push {r4-r11, lr}\n\t"
    "mov r12, r0\n\t"
    "ldmia.w r12, {r0-r5}\n\t"
    "1:\n\t" /* a pair */
    "mov lr, r4\n\t"
    "mov r7, r1\n\t"
    "2:\n\t" /* a row */
    "mov r6, r3\n\t"
    "3:\n\t"
    "ldr r11, [r1, r2]\n\t"
    "ldr r10, [r1], #4\n\t"
    "sxtb16 r9, r11\n\t"
    "sxtb16 r8, r10\n\t"
    "sxtb16 r11, r11, ror #8\n\t"
    "sxtb16 r10, r10, ror #8\n\t"
    "stmia.w r0!, {r8, r9, r10, r11}\n\t"
    "subs r6, #1\n\t"
    "bne.n 3b\n\t"
    "add r1, r1, r5\n\t"
    "subs.w lr, lr, #1\n\t"
    "bne.n 2b\n\t"
    "ldrd r8, r9, [r12, #28]\n\t"
    "stmia.w r0!, {r8, r9}\n\t"
    "add r8, r8, r9, lsl #1\n\t"
    "str r8, [r12, #28]\n\t"
    "add r1, r7, r2, lsl #1\n\t"
    "ldr r6, [r12, #24]\n\t"
    "subs r6, #1\n\t"
    "str r6, [r12, #24]\n\t"
    "bne.n 1b\n\t"
    "pop {r4-r11, lr}\n\t"
    : "+r"(r0) : : "r1", "r2", "r3", "r12", "cc", "memory");
}

/* From sums to outputs, but for the last shift; r2 is the multiplier, r3 the rounding, r12 the shift. SIGNED rounds
 * halves of negative sums away from zero: it takes 1 << LESS, LESS = raise - 1, from their rounding. */
#define EK_RUN_RELU(A, B) \
  "smmla " A ", " A ", r2, r3\n\t" \
  "smmla " B ", " B ", r2, r3\n\t"
#define EK_RUN_SIGNED(A, B, TEMPORARY, LESS) \
  "asr " TEMPORARY ", " A ", #31\n\t" \
  "add " TEMPORARY ", r3, " TEMPORARY ", lsl #" LESS "\n\t" \
  "smmla " A ", " A ", r2, " TEMPORARY "\n\t" \
  "asr " TEMPORARY ", " B ", #31\n\t" \
  "add " TEMPORARY ", r3, " TEMPORARY ", lsl #" LESS "\n\t" \
  "smmla " B ", " B ", r2, " TEMPORARY "\n\t"
#define EK_RUN_FIRST_RELU(A, B) EK_RUN_RELU(A, B)
#define EK_RUN_OTHER_RELU(A, B, TEMPORARY) EK_RUN_RELU(A, B)
#define EK_RUN_FIRST_SIGNED(A, B) EK_RUN_SIGNED(A, B, "r12", "7") "ldr r12, [r0, #-4]\n\t"
#define EK_RUN_OTHER_SIGNED(A, B, TEMPORARY) EK_RUN_SIGNED(A, B, TEMPORARY, "7")
#define EK_RUN_FIRST_SIGNED_INT4(A, B) EK_RUN_SIGNED(A, B, "r12", "11") "ldr r12, [r0, #-4]\n\t"
#define EK_RUN_OTHER_SIGNED_INT4(A, B, TEMPORARY) EK_RUN_SIGNED(A, B, TEMPORARY, "11")

/* Defines NAME(block, records, end, groups, output): four channels of the pixels of all records, of which
 * there is at least one. Assembly as in tile.dsp.h. The frame: 0 end of the weights, 4 output, 8 record, 12 end of the
 * records, 16 block, 20 where the first round enters its loop of four groups. */
#define EK_RUN_TILE(NAME, FIRST, OTHER) \
  static __attribute__((noinline)) void NAME(const uint32_t *block, const uint32_t *records, \
                                             const uint32_t *end, int32_t groups, int8_t *output) { \
    register const uint32_t *r0 __asm__("r0") = block; \
    register const uint32_t *r1 __asm__("r1") = records; \
    register const uint32_t *r2 __asm__("r2") = end; \
    register int32_t r3 __asm__("r3") = groups; \
    register int8_t *r4 __asm__("r4") = output; \
    __asm__ volatile( \
      "push {r5-r11, lr}\n\t" \
      "sub sp, #24\n\t" \
      "strd r1, r2, [sp, #8]\n\t" \
      "add r2, r0, r3, lsl #5\n\t" \
      "add r2, r2, #16\n\t" \
      "strd r2, r4, [sp]\n\t" \
      "rsb r3, r3, #0\n\t" \
      "and r3, r3, #3\n\t" \
      "movs r2, #88\n\t" \
      "mul r3, r3, r2\n\t" \
      "adr.w r2, 2f\n\t" \
      "add r3, r3, r2\n\t" \
      "orr r3, r3, #1\n\t" \
      "strd r0, r3, [sp, #16]\n\t" \
      "1:\n\t" /* two pixels */ \
      "ldrd r0, r2, [sp, #16]\n\t" \
      "ldmia.w r0, {r8-r11}\n\t" \
      "ldmia.w r0!, {r4-r7}\n\t" \
      "bx r2\n\t" \
      ".p2align 2\n\t" \
      "2:\n\t" /* four groups */ \
      EK_PAIR_STEP_WIDE EK_PAIR_STEP_WIDE EK_PAIR_STEP_WIDE EK_PAIR_STEP_WIDE \
      EK_PAIR_STEP_WIDE EK_PAIR_STEP_WIDE EK_PAIR_STEP_WIDE EK_PAIR_STEP_WIDE \
      "ldrd r2, r3, [sp]\n\t" \
      "cmp r0, r2\n\t" \
      "bne.w 2b\n\t" \
      "ldrd r2, lr, [r1], #8\n\t" \
      "str r1, [sp, #8]\n\t" \
      "add r1, r2, r3\n\t" \
      EK_PAIR_CHANNEL_WIDE(FIRST("r4", "r8"), "r4", "r8") \
      EK_PAIR_CHANNEL_WIDE(OTHER("r5", "r9", "r4"), "r5", "r9") \
      EK_PAIR_CHANNEL_WIDE(OTHER("r6", "r10", "r4"), "r6", "r10") \
      EK_PAIR_CHANNEL_WIDE(OTHER("r7", "r11", "r4"), "r7", "r11") \
      "ldrd r1, r2, [sp, #8]\n\t" \
      "cmp r1, r2\n\t" \
      "bne.w 1b\n\t" \
      "add sp, #24\n\t" \
      "pop {r5-r11, lr}\n\t" \
      : "+r"(r0), "+r"(r1), "+r"(r2), "+r"(r3), "+r"(r4) : : "r12", "cc", "memory"); \
  }
/* clang-format on */

#else

static inline void ek_widen_stretch(ek_stretch *stretch) {
  uint32_t *to = stretch->to;
  for (; stretch->pairs > 0; --stretch->pairs, stretch->offset += 2 * stretch->second) {
    const int8_t *row = stretch->pixel;
    for (int32_t rows = stretch->rows; rows > 0; --rows, row += 4 * stretch->words + stretch->gap) {
      to = ek_widen_two(to, row, row + stretch->step, stretch->words);
    }
    *to++ = (uint32_t)stretch->offset;
    *to++ = (uint32_t)stretch->second;
    stretch->pixel += 2 * stretch->step;
  }
}

static inline void ek_frame_block(const int32_t *scales, int32_t rounding, int32_t raise, uint32_t *block,
                                  uint32_t *ends) {
  uint32_t shifts = (uint32_t)scales[4];
  for (int channel = 0; channel < 4; ++channel, shifts >>= 8, ends += 3) {
    block[channel] = (uint32_t)scales[channel] << raise;
    ends[0] = (uint32_t)scales[5 + channel];
    ends[1] = ((uint32_t)rounding << ((shifts & 0xFF) - 1)) + (1u << (raise - 2));
    ends[2] = shifts & 0xFF;
  }
}

/* What is added to the rounding of a sum. */
#define EK_RUN_FIRST_RELU(sum) 0
#define EK_RUN_OTHER_RELU(sum) 0
#define EK_RUN_FIRST_SIGNED(sum) (((sum) >> 31) * 128)
#define EK_RUN_OTHER_SIGNED(sum) (((sum) >> 31) * 128)
#define EK_RUN_FIRST_SIGNED_INT4(sum) (((sum) >> 31) * 2048)
#define EK_RUN_OTHER_SIGNED_INT4(sum) (((sum) >> 31) * 2048)

/* The output of a raised sum. */
static inline int8_t ek_run_output(int32_t sum, const int32_t *scale, int32_t more) {
  const int32_t scaled = (int32_t)(((int64_t)sum * scale[0]) >> 32);
  return (int8_t)ek_saturate((scaled + scale[1] + more) >> scale[2]);
}

#define EK_RUN_TILE(NAME, FIRST, OTHER)                                                                      \
  static inline void NAME(const uint32_t *block, const uint32_t *records, const uint32_t *end,               \
                          int32_t groups, int8_t *output) {                                                  \
    for (; records != end; records += EK_RECORD_WORDS(groups)) {                                             \
      const int32_t *weights = (const int32_t *)block;                                                       \
      const int32_t *scale = weights + 4 + 8 * groups;                                                       \
      int8_t *first = output + (int32_t)records[4 * groups];                                                 \
      int8_t *second = first + (int32_t)records[4 * groups + 1];                                             \
      int32_t sums[8];                                                                                       \
      for (int i = 0; i < 8; ++i) {                                                                          \
        sums[i] = weights[i & 3];                                                                            \
      }                                                                                                      \
      weights += 4;                                                                                          \
      for (int32_t half = 0; half < 2 * groups; ++half) {                                                    \
        weights = ek_pair_step_wide(weights, records + 2 * half, sums);                                      \
      }                                                                                                      \
      for (int channel = 0; channel < 4; ++channel, scale += 3) {                                            \
        const int32_t sum_0 = sums[channel];                                                                 \
        const int32_t sum_1 = sums[channel + 4];                                                             \
        second[channel] = ek_run_output(sum_1, scale, OTHER(sum_1));                                         \
        first[channel] = ek_run_output(sum_0, scale, OTHER(sum_0));                                          \
      }                                                                                                      \
    }                                                                                                        \
  }

#endif

#endif
