/* Sums of four channels become activations of one pixel; the loops around it go over a row's pixels, then
 * over groups of channels. */
#ifndef EK_GROUP_MVE_H
#define EK_GROUP_MVE_H

#if defined(__ARM_FEATURE_MVE)

/* r0, r2, r4, r6: sums; r1: where the biases lie, r5: output zero point, r7: output, r8: its step; r11: what
 * the loops go over, its number of groups at 24. q5: bias, q6: multiplier, q7: shift. */
#define EK_GROUP_SUMS_MVE                                                                                    \
  "vmov q4[2], q4[0], r0, r4\n"                                                                              \
  "vmov q4[3], q4[1], r2, r6\n"

/* Where int8's ends clamp, and hide how negative values are rounded. */
#define EK_GROUP_AT_INT8_MVE                                                                                 \
  EK_GROUP_SUMS_MVE                                                                                          \
  "vadd.i32 q4, q4, q5\n"                                                                                    \
  "vqrdmulh.s32 q4, q4, q6\n"                                                                                \
  "vrshl.s32 q4, q4, q7\n"                                                                                   \
  "vadd.i32 q4, q4, r5\n"                                                                                    \
  "vqmovnb.s32 q4, q4\n"                                                                                     \
  "vqmovnb.s16 q4, q4\n"

/* low, high: where the clamp's four lanes lie behind r11. */
#define EK_GROUP_CLAMPED_MVE(low, high)                                                                      \
  EK_GROUP_SUMS_MVE                                                                                          \
  "vldrw.32 q5, [r1]\n"                                                                                      \
  "vadd.i32 q4, q4, q5\n"                                                                                    \
  "vqrdmulh.s32 q4, q4, q6\n"                                                                                \
  "vand q5, q4, q7\n"                                                                                        \
  "vshr.s32 q5, q5, #31\n"                                                                                   \
  "vadd.i32 q4, q4, q5\n"                                                                                    \
  "vrshl.s32 q4, q4, q7\n"                                                                                   \
  "vadd.i32 q4, q4, r5\n"                                                                                    \
  "vldrw.32 q5, [r11, #" low "]\n"                                                                           \
  "vmax.s32 q4, q4, q5\n"                                                                                    \
  "vldrw.32 q5, [r11, #" high "]\n"                                                                          \
  "vmin.s32 q4, q4, q5\n"

/* Label 2: the next pixel; label 1: the next group. */
#define EK_NEXT_GROUP_MVE                                                                                    \
  "vstrb.32 q4, [r7]\n"                                                                                      \
  "add r7, r8\n"                                                                                             \
  "le lr, 2b\n"                                                                                              \
  "ldr r1, [r11, #24]\n"                                                                                     \
  "subs r1, #1\n"                                                                                            \
  "str r1, [r11, #24]\n"                                                                                     \
  "bne 1b\n"                                                                                                 \
  "vpop {d8-d15}\n"                                                                                          \
  "pop {r4-r11, pc}\n"

#endif

#endif
