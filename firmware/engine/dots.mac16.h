/* Dot products of int16 on the LX6's MAC16: a product and a load in each instruction. */
#ifndef EK_DOTS_MAC16_H
#define EK_DOTS_MAC16_H

#include "opcodes.mac16.h"

#include <stdint.h>

#ifdef __XTENSA__
/* FINISH: what becomes of %[work], a whole sum, before it is stored. */
#define EK_DOTS_ASM_MAC16(FINISH)                                                                            \
  __asm__ volatile(                                                                                          \
      "addi %[x], %[x], -4\n"                                                                                \
      "addi %[weights], %[weights], -4\n" EK_PLACE(2)           /* the loop starts 16 bytes behind */        \
      "2: mov.n %[work], %[weights]\n" EK_WSR_ACCLO("%[start]") /* the low word needs none of ACCHI */       \
      EK_LDINC(0, "%[x]") EK_LDINC(2, "%[work]") EK_LOOP("%[quads]") EK_MULA_DD_LL_LDINC(1, "%[x]", 0, 2)    \
          EK_MULA_DD_HH_LDINC(3, "%[work]", 0, 2) EK_MULA_DD_LL_LDINC(0, "%[x]", 1, 3)                       \
              EK_MULA_DD_HH_LDINC(2, "%[work]", 1, 3) EK_LOOP_END EK_RSR_ACCLO("%[work]") FINISH             \
      "s32i.n %[work], %[sums], 0\n"                                                                         \
      "addi.n %[sums], %[sums], 4\n"                                                                         \
      "add.n %[x], %[x], %[step]\n"                                                                          \
      "bne %[sums], %[end], 2b\n" EK_PLACE_END                                                               \
      : [work] "=&r"(work), [x] "+&r"(x), [weights] "+&r"(weights), [sums] "+&r"(sums)                       \
      : [start] "r"(start), [quads] "r"(quads), [step] "r"(step), [end] "r"(end)                             \
      : "memory")
#endif

/* For each of the sums [sums, end): start + 4 * quads products of x and the weights, two of them a word with
 * the first in its low half; x then goes on by `step` bytes. quads >= 1, at least one sum. All is aligned to
 * 4 bytes, and the two values behind each array are read as well. */
static inline void ek_dots_mac16(int32_t *sums, int32_t *end, int32_t start, const int16_t *x, int32_t step,
                                 const int32_t *weights, int32_t quads) {
#ifdef __XTENSA__
  int32_t work;
  step -= 8 * quads + 4; /* behind a row x has been moved so far */
  EK_DOTS_ASM_MAC16("");
#else
  for (; sums != end; ++sums) {
    *sums = start;
    for (int32_t i = 0; i < 2 * quads; ++i) {
      *sums += x[2 * i] * (int16_t)weights[i] + x[2 * i + 1] * (weights[i] >> 16);
    }
    x += step / 2;
  }
#endif
}

#endif
