/* Sums over the weights of a channel that are kept, on the LX6's MAC16. */
#ifndef EK_GAPS_MAC16_H
#define EK_GAPS_MAC16_H

#include "opcodes.mac16.h"

#include <stdint.h>

/* What is still to be taken up: a gap and a weight for each other. */
typedef struct {
  const uint8_t *gaps;
  const int8_t *weights;
} ek_gaps;

/* start + `count` weights, each times the activation that lies its gap behind the one before, the first
 * behind x; moves on behind them. */
static inline int32_t ek_gaps_sum_mac16(ek_gaps *from, int32_t count, const uint8_t *x, int32_t start) {
#ifdef __XTENSA__
  const uint8_t *gaps = from->gaps;
  const int8_t *weights = from->weights;
  int32_t gap, weight;
/* clang-format off */
#define EK_GAP_STEP(STEP) \
  "l8ui %[gap], %[gaps], " #STEP "\n" \
  "l8ui %[weight], %[weights], " #STEP "\n" \
  "add.n %[x], %[x], %[gap]\n" \
  "l8ui %[gap], %[x], 0\n" \
  EK_SEXT_BYTE("%[weight]", "%[weight]") \
  EK_MULA_AA_LL("%[weight]", "%[gap]")
  __asm__ volatile(
    EK_PLACE(2) /* the first loop starts 8 bytes behind, the second one 84 */
    EK_WSR_ACCLO("%[sum]") /* the low word needs none of ACCHI */
    EK_LOOP_IF_ANY("%[fours]")
    EK_GAP_STEP(0) EK_GAP_STEP(1) EK_GAP_STEP(2) EK_GAP_STEP(3)
    "addi %[gaps], %[gaps], 4\n"
    "addi.n %[weights], %[weights], 4\n"
    EK_LOOP_END
    EK_LOOP_IF_ANY("%[others]")
    EK_GAP_STEP(0)
    "addi.n %[gaps], %[gaps], 1\n"
    "addi.n %[weights], %[weights], 1\n"
    EK_LOOP_END
    EK_RSR_ACCLO("%[sum]")
    EK_PLACE_END
    : [sum] "+&r"(start), [gaps] "+&r"(gaps), [weights] "+&r"(weights), [x] "+&r"(x), [gap] "=&r"(gap),
      [weight] "=&r"(weight)
    : [fours] "r"(count >> 2), [others] "r"(count & 3)
    : "memory");
/* clang-format on */
#undef EK_GAP_STEP
  from->gaps = gaps;
  from->weights = weights;
  return start;
#else
  for (; count > 0; --count) {
    x += *from->gaps++;
    start += *x * *from->weights++;
  }
  return start;
#endif
}

#endif
