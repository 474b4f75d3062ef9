/* FULLY_CONNECTED of int8 on Armv7E-M with weights of which blocks of 4 outputs x 4 depths are left out.
 * Twin: edgekit/engine/forms/blocks/fully_connected_dsp.py.
 *
 * In place of four outputs' dense weights stand the bytes of their steps, a multiple of 4; then for each kept
 * block, at least one, how many words of the input to step over, 128 more of the last one; then its weights.
 */
#ifndef EK_FULLY_CONNECTED_WORDS_BLOCKS_S8_DSP_H
#define EK_FULLY_CONNECTED_WORDS_BLOCKS_S8_DSP_H

#include "fully_connected_words_s8.dsp.h"

typedef ek_fully_connected_words_s8_dsp_layer ek_fully_connected_words_blocks_s8_dsp_layer;

#ifdef __ARM_FEATURE_DSP

/* clang-format off */
/* lr stands at the steps; nothing behind a step changes the carry, which says whether it is the last. */
#define EK_WORD_SUMS_BLOCKS \
  "ldr r12, [r0], #4\n\t" \
  "mov lr, r0\n\t" \
  "add r0, r0, r12\n\t" \
  "2:\n\t" \
  "ldrb r12, [lr], #1\n\t" \
  "lsls r12, r12, #25\n\t" \
  "add r1, r1, r12, lsr #23\n\t" \
  "ldr r12, [r1], #4\n\t" \
  EK_WORDS \
  "bcc.w 2b\n\t" \
  "ldr lr, [sp]\n\t"
/* clang-format on */

#else

static inline const int32_t *ek_word_sums_blocks(const ek_word_blocks *work, const int32_t *weights,
                                                 int32_t sums[4]) {
  const int8_t *input = work->input;
  const uint8_t *steps = (const uint8_t *)(weights + 1);
  weights += 1 + *weights / 4;
  for (uint32_t step = 0; step < 128u; input += 4) {
    step = *steps++;
    input += 4 * (step & 127u);
    weights = ek_word_step(weights, ek_load_word(input), sums);
  }
  return weights;
}

#define EK_WORD_SUMS_BLOCKS ek_word_sums_blocks

#endif

EK_MULTIPLY_WORD_BLOCKS(ek_multiply_kept_blocks, EK_WORD_SUMS_BLOCKS)

/* input: (rows, depth); output: (rows, output_channels); scratch: whole words of a vector, if it has others.
 */
static inline void
ek_fully_connected_words_blocks_s8_dsp(const ek_fully_connected_words_blocks_s8_dsp_layer *layer,
                                       ek_rows input, ek_rows output, int8_t *scratch, int32_t row_begin,
                                       int32_t row_end) {
  for (int32_t y = row_begin; y < row_end; ++y) {
    const int8_t *x = ek_part(input, y, layer->depth);
    if (scratch != NULL && (layer->depth & 3) != 0) {
      memset(scratch + (layer->depth & ~3), 0, 4);
      memcpy(scratch, x, (uint32_t)layer->depth);
      x = scratch;
    }
    ek_multiply_vector(layer, ek_multiply_kept_blocks, x, ek_row(output, y));
  }
}

#endif
