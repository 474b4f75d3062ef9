/* From sums to int8 activations of one channel on the LX6, rounding twice as requantize.h does. */
#ifndef EK_REQUANTIZE_SUMS_MAC16_H
#define EK_REQUANTIZE_SUMS_MAC16_H

#include "opcodes.mac16.h"

#include <stdint.h>

#define EK_HALF (1 << 15)

/* The constants of a channel:
 * 0: what its sums start with, the bias with all zero points folded in, + EK_HALF;
 * 1: the multiplier's low 16 bits, signed, and 2: the rest of it, multiplier = [2] * 2^16 + [1];
 * 3: the shift to the right, 1..22; 4: the output's zero point and half a step of the output, shifted to the
 * left. */
#define EK_CHANNEL_WORDS 5

typedef struct {
  int32_t step; /* from one activation of a channel to the next: the channels of the output */
  int32_t low;
  int32_t high;
} ek_activations_mac16;

/* sums: (count), + EK_HALF, below 2^30 in magnitude; count >= 1. */
static inline void ek_requantize_mac16(const int32_t *channel, const ek_activations_mac16 *to,
                                       const int32_t *sums, int32_t count, int8_t *output) {
#ifdef __XTENSA__
  int32_t low, high, cross;
  __asm__ volatile(
      "ssr %[shift]\n" EK_PLACE(2)
          EK_LOOP("%[count]") "l32i.n %[low], %[sums], 0\n"
                              "addi.n %[sums], %[sums], 4\n"
                              "srai %[high], %[low], 16\n"
                              "addmi %[low], %[low], -32768\n"
                              "mul16s %[cross], %[low], %[m]\n"
                              "mul16s %[low], %[low], %[mh]\n"
                              "srai %[cross], %[cross], 16\n"
                              "add.n %[cross], %[cross], %[low]\n"
                              "mul16s %[low], %[high], %[m]\n"
                              "add.n %[cross], %[cross], %[low]\n"
                              "mul16s %[high], %[high], %[mh]\n"
                              "addmi %[cross], %[cross], 16384\n"
                              "srai %[cross], %[cross], 15\n"
                              "addx2 %[high], %[high], %[cross]\n"
                              "srai %[cross], %[high], 31\n"
                              "add.n %[high], %[high], %[cross]\n"
                              "add.n %[high], %[high], %[offset]\n"
                              "sra %[high], %[high]\n" EK_MAX("%[high]", "%[high]", "%[least]") EK_MIN(
                                  "%[high]", "%[high]",
                                  "%[most]") "s8i %[high], %[output], 0\n"
                                             "add.n %[output], %[output], %[step]\n" EK_LOOP_END EK_PLACE_END
      : [low] "=&r"(low), [high] "=&r"(high), [cross] "=&r"(cross), [sums] "+&r"(sums), [output] "+&r"(output)
      : [shift] "r"(channel[3]), [count] "r"(count), [m] "r"(channel[1]), [mh] "r"(channel[2]),
        [offset] "r"(channel[4]), [least] "r"(to->low), [most] "r"(to->high), [step] "r"(to->step)
      : "memory");
#else
  const int32_t multiplier = channel[1];
  for (; count > 0; --count, output += to->step) {
    const int32_t low = (int16_t)(*sums - EK_HALF);
    const int32_t high = *sums++ >> 16;
    const int32_t cross = (low * multiplier >> 16) + low * channel[2] + high * multiplier;
    int32_t scaled = 2 * (high * channel[2]) + ((cross + (1 << 14)) >> 15);
    scaled = (scaled + (scaled >> 31) + channel[4]) >> channel[3];
    scaled = scaled < to->low ? to->low : scaled;
    *output = (int8_t)(scaled > to->high ? to->high : scaled);
  }
#endif
}

#endif
