/* From sums to int8 activations of one channel on the LX6, rounding twice as requantize.h does. */
#ifndef EK_REQUANTIZE_SUMS_MAC16_H
#define EK_REQUANTIZE_SUMS_MAC16_H

#include "opcodes.mac16.h"
#include "rows.h"

#include <stdint.h>

#define EK_HALF (1 << 15)

/* The constants of a channel; its sums start with [0], the bias with all zero points folded in.
 *
 * Where [5] < [6], a line of 32 bits steps from one activation to the next at the same sums as the two
 * roundings do, which is proven for each channel when it is lowered: the sum, held in [5]..[6], times [2] +
 * [1] / 2^[3], plus [4], has the activation in its upper 8 bits.
 *
 * Else the roundings are done: [0] holds EK_HALF more, the multiplier is [2] * 2^16 + [1], both of 16 bits
 * and signed; [3] is the shift to the right, 1..22; [4] the zero point and half a step of the output, shifted
 * to the left. */
#define EK_CHANNEL_WORDS 7

typedef struct {
  int32_t step; /* from one activation of a channel to the next: the channels of the output */
  int32_t low;
  int32_t high;
  int32_t zero_point;
} ek_activations_mac16;

/* The same constants in less memory: [0]; the line's slope in 28 bits, and 4 that say where its point is;
 * how far to both sides its reach is, 11 bits and by how much they are shifted, and 16 bits of the offset. Or
 * [0], the multiplier and the shift. */
#define EK_COMPACT_WORDS 3

/* Writes the constants of a channel out. */
static inline void ek_unfold_channel_mac16(const int32_t *compact, const ek_activations_mac16 *to,
                                           int32_t *channel) {
  const uint32_t slope = (uint32_t)compact[1];
  const uint32_t packed = (uint32_t)compact[2];
  channel[0] = compact[0];
  if (packed >> 21 != 0) {
    const uint32_t bits = (slope & 15) + 1;
    const uint32_t tail = packed >> 16 & 31;
    const int32_t far = (int32_t)(packed >> 21 << tail);
    const int32_t tweak = (int16_t)packed;
    const uint32_t unit = tail < 7 ? 7 - tail : 0;
    channel[1] = (int32_t)(slope >> 4 & ((1u << bits) - 1));
    channel[2] = (int32_t)(slope >> 4 >> bits);
    channel[3] = (int32_t)bits;
    channel[4] = (to->low + to->high + 1) * (1 << 23) + tweak * (1 << unit);
    channel[5] = -far;
    channel[6] = far;
  } else {
    channel[1] = (int16_t)slope;
    channel[2] = ((int32_t)slope + EK_HALF) >> 16;
    channel[3] = (int32_t)packed;
    channel[4] = (int32_t)((uint32_t)(2 * to->zero_point + 1) << (packed - 1));
    channel[5] = 1;
    channel[6] = 0;
  }
}

/* The line; see the constants of a channel. sums: (count), count >= 1. */
static inline void ek_scale_by_line_mac16(const int32_t *channel, int32_t step, const int32_t *sums,
                                          int32_t count, int8_t *output) {
#ifdef __XTENSA__
  int32_t sum, part;
  __asm__ volatile(
      "ssr %[shift]\n" EK_PLACE(2)
          EK_LOOP("%[count]") "l32i.n %[sum], %[sums], 0\n"
                              "addi.n %[sums], %[sums], 4\n" EK_MAX("%[sum]", "%[sum]", "%[least]") EK_MIN(
                                  "%[sum]", "%[sum]",
                                  "%[most]") "mull %[part], %[sum], %[fraction]\n"
                                             "sra %[part], %[part]\n"
                                             "mull %[sum], %[sum], %[whole]\n"
                                             "add.n %[part], %[part], %[offset]\n"
                                             "add.n %[sum], %[sum], %[part]\n"
                                             "srai %[sum], %[sum], 24\n"
                                             "s8i %[sum], %[output], 0\n"
                                             "add.n %[output], %[output], %[step]\n" EK_LOOP_END EK_PLACE_END
      : [sum] "=&r"(sum), [part] "=&r"(part), [sums] "+&r"(sums), [output] "+&r"(output)
      : [shift] "r"(channel[3]), [count] "r"(count), [fraction] "r"(channel[1]), [whole] "r"(channel[2]),
        [offset] "r"(channel[4]), [least] "r"(channel[5]), [most] "r"(channel[6]), [step] "r"(step)
      : "memory");
#else
  for (; count > 0; --count, output += step) {
    int32_t sum = *sums++;
    sum = sum < channel[5] ? channel[5] : sum;
    sum = sum > channel[6] ? channel[6] : sum;
    const int64_t line = (int64_t)sum * channel[2] + ((sum * channel[1]) >> channel[3]) + channel[4];
    *output = (int8_t)(line >> 24);
  }
#endif
}

/* The two roundings; see the constants of a channel. sums: (count), below 2^30 in magnitude; count >= 1. */
static inline void ek_scale_mac16(const int32_t *channel, const ek_activations_mac16 *to, const int32_t *sums,
                                  int32_t count, int8_t *output) {
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

/* From the sums of one channel to its activations. */
static inline void ek_requantize_mac16(const int32_t *channel, const ek_activations_mac16 *to,
                                       const int32_t *sums, int32_t count, int8_t *output) {
  if (channel[5] < channel[6]) {
    ek_scale_by_line_mac16(channel, to->step, sums, count, output);
  } else {
    ek_scale_mac16(channel, to, sums, count, output);
  }
}

/* Whether rows [y, y + rows), each of so many bytes, follow each other in memory. */
static inline int ek_rows_follow_mac16(ek_rows output, int32_t y, int32_t rows, int32_t bytes) {
  int follow = 1;
  for (int32_t i = 1; i < rows; ++i) {
    follow = follow && ek_row(output, y + i) - ek_row(output, y + i - 1) == bytes;
  }
  return follow;
}

#endif
