/* The tile of tile.dsp.h with weights of which blocks of 4 channels x 4 depths are left out.
 * Twin: edgekit/engine/forms/blocks/_tile_dsp.py.
 *
 * In place of a channel block's dense weights stand its kept blocks, at least one, up to four behind a word
 * of four bytes: for each of them the groups of pixels to step over, 128 more of the last one of all. Then
 * their weights, in the order of tile.dsp.h. */
#ifndef EK_TILE_BLOCKS_DSP_H
#define EK_TILE_BLOCKS_DSP_H

#include "tile.dsp.h"

#ifdef __ARM_FEATURE_DSP

/* clang-format off */
/* A block whose step, of 2^(25 - SHIFT) bytes of pixels, lies at LOAD from its weights; no step of the products changes
 * the carry, which says whether it is the last. */
#define EK_PAIR_BLOCK(STEPS, SHIFT, LOAD) \
  "ldrb r2, " LOAD "\n\t" \
  "lsls r2, r2, #25\n\t" \
  "add r1, r1, r2, lsr #" SHIFT "\n\t" \
  STEPS
/* STEP_1 to STEP_3 lead from the weights of blocks 1 to 3 back to their steps. */
#define EK_PAIR_BLOCKS(STEPS, SHIFT, STEP_1, STEP_2, STEP_3) \
  "2:\n\t" /* four blocks */ \
  EK_PAIR_BLOCK(STEPS, SHIFT, "[r0], #4") \
  "bcs.w 3f\n\t" \
  EK_PAIR_BLOCK(STEPS, SHIFT, "[r0, #" STEP_1 "]") \
  "bcs.w 3f\n\t" \
  EK_PAIR_BLOCK(STEPS, SHIFT, "[r0, #" STEP_2 "]") \
  "bcs.w 3f\n\t" \
  EK_PAIR_BLOCK(STEPS, SHIFT, "[r0, #" STEP_3 "]") \
  "bcc.w 2b\n\t" \
  "3:\n\t"
/* clang-format on */

#define EK_PAIR_BLOCKS_WIDE(NAME, FIRST, OTHER)                                                              \
  EK_PAIR_WIDE(NAME, "", EK_PAIR_BLOCKS(EK_PAIR_STEP_WIDE EK_PAIR_STEP_WIDE, "21", "-35", "-66", "-97"),     \
               FIRST, OTHER)
#define EK_PAIR_BLOCKS_NARROW(NAME, FIRST, OTHER)                                                            \
  EK_PAIR_NARROW(NAME, "",                                                                                   \
                 EK_PAIR_BLOCKS(EK_PAIR_STEP_NARROW EK_PAIR_STEP_NARROW, "21", "-19", "-34", "-49"), FIRST,  \
                 OTHER)

#else

typedef const int32_t *ek_pair_step(const int32_t *weights, const uint32_t pixels[2], int32_t sums[8]);

/* Blocks of `pairs` words of both pixels. */
static inline const int32_t *ek_pair_sums_blocks(ek_pair_step *step, uint32_t pairs, const int32_t *weights,
                                                 const uint32_t *pixels, int32_t sums[8]) {
  for (;;) {
    for (uint32_t steps = (uint32_t)*weights++, left = 4; left > 0; --left, steps >>= 8) {
      pixels += 2 * pairs * (steps & 127u);
      for (uint32_t pair = 0; pair < pairs; ++pair, pixels += 2) {
        weights = step(weights, pixels, sums);
      }
      if ((steps & 128u) != 0) {
        return weights;
      }
    }
  }
}

static inline const int32_t *ek_pair_blocks_wide(const int32_t *weights, const uint32_t *pixels,
                                                 int32_t groups, int32_t sums[8]) {
  (void)groups;
  return ek_pair_sums_blocks(ek_pair_step_wide, 2, weights, pixels, sums);
}

static inline const int32_t *ek_pair_blocks_narrow(const int32_t *weights, const uint32_t *pixels,
                                                   int32_t groups, int32_t sums[8]) {
  (void)groups;
  return ek_pair_sums_blocks(ek_pair_step_narrow, 2, weights, pixels, sums);
}

#define EK_PAIR_BLOCKS_WIDE(NAME, FIRST, OTHER) EK_PAIR_WIDE(NAME, ek_pair_blocks_wide, FIRST, OTHER)
#define EK_PAIR_BLOCKS_NARROW(NAME, FIRST, OTHER) EK_PAIR_NARROW(NAME, ek_pair_blocks_narrow, FIRST, OTHER)

#endif

#endif
