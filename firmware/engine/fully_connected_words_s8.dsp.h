/* FULLY_CONNECTED of int8 on Armv7E-M: four outputs at a time, weights as bytes, four depths a word.
 * Twin: edgekit/engine/cores/dsp/fully_connected.py. */
#ifndef EK_FULLY_CONNECTED_WORDS_S8_DSP_H
#define EK_FULLY_CONNECTED_WORDS_S8_DSP_H

#include "rows.h"
#include "simd.dsp.h"

typedef struct {
  const int32_t *blocks; /* of four outputs: 4 biases, then for each four depths a word of each output */
  const int32_t *scales; /* multiplier, rounding, shift; of each output, or of all */
  int32_t scale_step;    /* words from one output's scale to the next: 3 or 0 */
  int32_t depth;
  int32_t output_channels; /* at least 4; the last block is of the last four */
  int32_t clamps;          /* 1: the activation range is less than int8 */
  int32_t activation_min;
  int32_t activation_max;
} ek_fully_connected_words_s8_dsp_layer;

/* Some blocks: where they read, and where they write. */
typedef struct {
  const int32_t *blocks;
  const int8_t *input;     /* whole words */
  const int8_t *input_end; /* where the last one to four depths begin */
  uint32_t last;           /* these, zeros behind them */
  int32_t is_odd;          /* whole words, modulo 2 */
  int8_t *output;
  const int32_t *scales;
  int32_t scale_step; /* bytes */
  int32_t count;      /* at least 1 */
} ek_word_blocks;

#ifdef __ARM_FEATURE_DSP

/* clang-format off */
#define EK_WORD_OF_FOUR(WEIGHTS, SUM) \
  "sxtb16 r12, " WEIGHTS "\n\t" \
  "smlad " SUM ", r12, r2, " SUM "\n\t" \
  "sxtb16 " WEIGHTS ", " WEIGHTS ", ror #8\n\t" \
  "smlad " SUM ", " WEIGHTS ", r3, " SUM "\n\t"
/* Four depths, whose activations are in r12, of four outputs. */
#define EK_WORDS \
  "sxtb16 r2, r12\n\t" \
  "sxtb16 r3, r12, ror #8\n\t" \
  "ldmia.w r0!, {r8-r11}\n\t" \
  EK_WORD_OF_FOUR("r8", "r4") \
  EK_WORD_OF_FOUR("r9", "r5") \
  EK_WORD_OF_FOUR("r10", "r6") \
  EK_WORD_OF_FOUR("r11", "r7")
#define EK_WORD_OUTPUT(SUM) \
  "ldmia.w r8, {r2, r3, r12}\n\t" \
  "add r8, r8, r9\n\t" \
  "lsl " SUM ", " SUM ", #1\n\t" \
  "add r3, r3, " SUM ", asr #31\n\t" /* rounds halves away from zero */ \
  "smmlar " SUM ", " SUM ", r2, r3\n\t" \
  "asr " SUM ", " SUM ", r12\n\t" \
  "ssat " SUM ", #8, " SUM "\n\t" \
  "strb " SUM ", [r1], #1\n\t"
/* The sums of a block of dense weights; r1 stands at the input, r2 and in the end lr hold the work. */
#define EK_WORD_SUMS_DENSE \
  "ldr lr, [r2, #8]\n\t" \
  "ldr r3, [r2, #16]\n\t" \
  "cmp r3, #0\n\t" \
  "bne.w 3f\n\t" \
  "cmp r1, lr\n\t" \
  "beq.w 4f\n\t" \
  "2:\n\t" \
  "ldr r12, [r1], #4\n\t" \
  EK_WORDS \
  "3:\n\t" \
  "ldr r12, [r1], #4\n\t" \
  EK_WORDS \
  "cmp r1, lr\n\t" \
  "bne.w 2b\n\t" \
  "4:\n\t" \
  "ldr lr, [sp]\n\t" \
  "ldr r12, [lr, #12]\n\t" \
  EK_WORDS

/* Defines NAME(work), which computes the blocks, counts them down to 0 and moves on blocks, output and scales.
 * Assembly, since the compiler spills; it restores all that a caller may hold. r0 weights, r1 input, r2 and r3
 * four activations, r4 to r7 the sums, r8 to r11 weights, lr end of the input. */
#define EK_MULTIPLY_WORD_BLOCKS(NAME, SUMS) \
  static __attribute__((noinline)) void NAME(ek_word_blocks *work) { \
    register ek_word_blocks *r0 __asm__("r0") = work; \
    __asm__ volatile( \
      "push {r4-r11, lr}\n\t" \
      "push {r0}\n\t" \
      "ldr r0, [r0]\n\t" \
      "1:\n\t" /* a block */ \
      "ldr r2, [sp]\n\t" \
      "ldmia.w r0!, {r4-r7}\n\t" \
      "ldr r1, [r2, #4]\n\t" \
      SUMS \
      "ldr r1, [lr, #20]\n\t" \
      "ldr r8, [lr, #24]\n\t" \
      "ldr r9, [lr, #28]\n\t" \
      EK_WORD_OUTPUT("r4") \
      EK_WORD_OUTPUT("r5") \
      EK_WORD_OUTPUT("r6") \
      EK_WORD_OUTPUT("r7") \
      "str r1, [lr, #20]\n\t" \
      "str r8, [lr, #24]\n\t" \
      "ldr r2, [lr, #32]\n\t" \
      "subs r2, r2, #1\n\t" \
      "str r2, [lr, #32]\n\t" \
      "bne.w 1b\n\t" \
      "str r0, [lr]\n\t" \
      "pop {r0}\n\t" \
      "pop {r4-r11, lr}\n\t" \
      : "+r"(r0) : : "r1", "r2", "r3", "r12", "cc", "memory"); \
  }
/* clang-format on */

#else

/* Four depths of four outputs; returns the weights behind. */
static inline const int32_t *ek_word_step(const int32_t *weights, uint32_t x, int32_t sums[4]) {
  for (int output = 0; output < 4; ++output) {
    const uint32_t word = (uint32_t)weights[output];
    sums[output] = ek_multiply_pairs(ek_even_bytes(word), ek_even_bytes(x), sums[output]);
    sums[output] = ek_multiply_pairs(ek_odd_bytes(word), ek_odd_bytes(x), sums[output]);
  }
  return weights + 4;
}

static inline const int32_t *ek_word_sums_dense(const ek_word_blocks *work, const int32_t *weights,
                                                int32_t sums[4]) {
  for (const int8_t *input = work->input; input < work->input_end; input += 4) {
    weights = ek_word_step(weights, ek_load_word(input), sums);
  }
  return ek_word_step(weights, work->last, sums);
}

/* SUMS(work, weights, sums) adds up and returns the words behind the weights. */
#define EK_MULTIPLY_WORD_BLOCKS(NAME, SUMS)                                                                  \
  static inline void NAME(ek_word_blocks *work) {                                                            \
    for (; work->count > 0; --work->count) {                                                                 \
      int32_t sums[4];                                                                                       \
      for (int output = 0; output < 4; ++output) {                                                           \
        sums[output] = *work->blocks++;                                                                      \
      }                                                                                                      \
      work->blocks = SUMS(work, work->blocks, sums);                                                         \
      for (int output = 0; output < 4; ++output, work->scales += work->scale_step / 4) {                     \
        const int32_t rounding = work->scales[1] + (sums[output] >> 31);                                     \
        const int32_t scaled = ek_multiply_upper(2 * sums[output], work->scales[0], rounding);               \
        *work->output++ = (int8_t)ek_saturate(scaled >> work->scales[2]);                                    \
      }                                                                                                      \
    }                                                                                                        \
  }

#define EK_WORD_SUMS_DENSE ek_word_sums_dense

#endif

EK_MULTIPLY_WORD_BLOCKS(ek_multiply_word_blocks, EK_WORD_SUMS_DENSE)

typedef void ek_multiply_words(ek_word_blocks *work);

/* One vector x: (depth) times all blocks. */
static inline void ek_multiply_vector(const ek_fully_connected_words_s8_dsp_layer *layer,
                                      ek_multiply_words *multiply, const int8_t *x, int8_t *output) {
  const int32_t words = (layer->depth - 1) >> 2;
  const int32_t whole = layer->output_channels >> 2;
  ek_word_blocks work = {layer->blocks,         x,    x + 4 * words, 0, words & 1, output, layer->scales,
                         4 * layer->scale_step, whole};
  work.last = ek_load_part(work.input_end, layer->depth - 4 * words);
  multiply(&work);
  if (4 * whole != layer->output_channels) {
    work.output = output + layer->output_channels - 4;
    work.scales = layer->scales + (layer->output_channels - 4) * layer->scale_step;
    work.count = 1;
    multiply(&work);
  }
  if (layer->clamps) {
    ek_clamp_bytes(output, layer->output_channels, layer->activation_min, layer->activation_max);
  }
}

/* input: (rows, depth); output: (rows, output_channels). */
static inline void ek_fully_connected_words_s8_dsp(const ek_fully_connected_words_s8_dsp_layer *layer,
                                                   ek_rows input, ek_rows output, int32_t row_begin,
                                                   int32_t row_end) {
  for (int32_t y = row_begin; y < row_end; ++y) {
    const int8_t *x = ek_part(input, y, layer->depth);
    ek_multiply_vector(layer, ek_multiply_word_blocks, x, ek_row(output, y));
  }
}

#endif
