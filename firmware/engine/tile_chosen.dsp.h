/* The tile of tile.dsp.h with weights of which four channels share the pairs of depths that are not zero: two
 * of four, for one. Twin: edgekit/engine/forms/blocks/_chosen_dsp.py.
 *
 * The pixels stand there in all six pairs of each four depths: (0, 2), (1, 3), (0, 1), (2, 3), (0, 3), (1,
 * 2). The weights are blocks of 4 channels x 1 pair as in tile_blocks.dsp.h; a step is a pair to step over.
 */
#ifndef EK_TILE_CHOSEN_DSP_H
#define EK_TILE_CHOSEN_DSP_H

#include "tile_blocks.dsp.h"

#ifdef __ARM_FEATURE_DSP

#define EK_PAIR_CHOSEN_WIDE(NAME, FIRST, OTHER)                                                              \
  EK_PAIR_WIDE(NAME, "", EK_PAIR_BLOCKS(EK_PAIR_STEP_WIDE, "22", "-19", "-34", "-49"), FIRST, OTHER)
#define EK_PAIR_CHOSEN_NARROW(NAME, FIRST, OTHER)                                                            \
  EK_PAIR_NARROW(NAME, "", EK_PAIR_BLOCKS(EK_PAIR_STEP_NARROW, "22", "-11", "-18", "-25"), FIRST, OTHER)

/* Spreads groups of (2, 2 pixels) words to (6, 2 pixels) words, in place, from the last group on. */
static __attribute__((noinline)) void ek_spread_pairs(uint32_t *pixels, int32_t groups) {
  register uint32_t *r0 __asm__("r0") = pixels + 4 * groups;
  register uint32_t *r1 __asm__("r1") = pixels + 12 * groups;
  register int32_t r2 __asm__("r2") = groups;
  __asm__ volatile("1:\n\t"
                   "ldmdb r0!, {r3-r6}\n\t" /* (0, 2) of both pixels, (1, 3) of both */
                   "pkhbt r8, r3, r5\n\t"   /* (0, 3) */
                   "pkhbt r9, r4, r6\n\t"
                   "pkhbt r10, r5, r3\n\t" /* (1, 2) */
                   "pkhbt r12, r6, r4\n\t"
                   "stmdb r1!, {r8, r9, r10, r12}\n\t"
                   "pkhbt r8, r3, r5, lsl #16\n\t" /* (0, 1) */
                   "pkhbt r9, r4, r6, lsl #16\n\t"
                   "pkhtb r10, r5, r3, asr #16\n\t" /* (2, 3) */
                   "pkhtb r12, r6, r4, asr #16\n\t"
                   "stmdb r1!, {r8, r9, r10, r12}\n\t"
                   "stmdb r1!, {r3-r6}\n\t"
                   "subs r2, r2, #1\n\t"
                   "bne.n 1b\n\t"
                   : "+r"(r0), "+r"(r1), "+r"(r2)
                   :
                   : "r3", "r4", "r5", "r6", "r8", "r9", "r10", "r12", "cc", "memory");
}

#else

static inline const int32_t *ek_pair_chosen_wide(const int32_t *weights, const uint32_t *pixels,
                                                 int32_t groups, int32_t sums[8]) {
  (void)groups;
  return ek_pair_sums_blocks(ek_pair_step_wide, 1, weights, pixels, sums);
}

static inline const int32_t *ek_pair_chosen_narrow(const int32_t *weights, const uint32_t *pixels,
                                                   int32_t groups, int32_t sums[8]) {
  (void)groups;
  return ek_pair_sums_blocks(ek_pair_step_narrow, 1, weights, pixels, sums);
}

#define EK_PAIR_CHOSEN_WIDE(NAME, FIRST, OTHER) EK_PAIR_WIDE(NAME, ek_pair_chosen_wide, FIRST, OTHER)
#define EK_PAIR_CHOSEN_NARROW(NAME, FIRST, OTHER) EK_PAIR_NARROW(NAME, ek_pair_chosen_narrow, FIRST, OTHER)

static inline void ek_spread_pairs(uint32_t *pixels, int32_t groups) {
  for (int32_t group = groups - 1; group >= 0; --group) {
    const uint32_t *from = pixels + 4 * group;
    const uint32_t even[2] = {from[0], from[1]};
    const uint32_t odd[2] = {from[2], from[3]};
    uint32_t *to = pixels + 12 * group;
    for (int pixel = 0; pixel < 2; ++pixel, ++to) {
      to[0] = even[pixel];
      to[2] = odd[pixel];
      to[4] = ek_low_halves(even[pixel], odd[pixel]);
      to[6] = ek_high_halves(even[pixel], odd[pixel]);
      to[8] = (even[pixel] & 0xFFFFu) | (odd[pixel] & 0xFFFF0000u);
      to[10] = (odd[pixel] & 0xFFFFu) | (even[pixel] & 0xFFFF0000u);
    }
  }
}

#endif

#endif
