/* Weights of int8 for the LX6's MAC16, which multiplies halves of words: they are widened once for a run of
 * pixels. Halves hold 256 times a weight, for which four weights take three instructions without any sign
 * extension; sums are brought back when they are whole. */
#ifndef EK_NARROW_MAC16_H
#define EK_NARROW_MAC16_H

#include "dots.mac16.h"

#define EK_SCALE_BITS_MAC16 8

/* Widens the weights of an output, 4 * quads, to 2 * quads words as ek_scaled_dots_mac16 takes them: of each
 * four, bytes 0 and 2 become the halves of one word, 1 and 3 those of the next. Reads and writes fours in
 * pairs: one four more where quads is odd. */
static inline void ek_widen_weights_mac16(int32_t *to, const int32_t *from, int32_t quads) {
#ifdef __XTENSA__
  uint32_t first, second, odd;
  __asm__ volatile(
      EK_PLACE(2) EK_LOOP("%[pairs]") "l32i.n %[first], %[from], 0\n"
                                      "l32i.n %[second], %[from], 4\n"
                                      "addi.n %[from], %[from], 8\n"
                                      "and %[odd], %[first], %[mask]\n"
                                      "slli %[first], %[first], 8\n"
                                      "and %[first], %[first], %[mask]\n"
                                      "s32i.n %[odd], %[to], 4\n"
                                      "s32i.n %[first], %[to], 0\n"
                                      "and %[odd], %[second], %[mask]\n"
                                      "slli %[second], %[second], 8\n"
                                      "and %[second], %[second], %[mask]\n"
                                      "s32i.n %[odd], %[to], 12\n"
                                      "s32i.n %[second], %[to], 8\n"
                                      "addi %[to], %[to], 16\n" EK_LOOP_END EK_PLACE_END
      : [first] "=&r"(first), [second] "=&r"(second), [odd] "=&r"(odd), [to] "+&r"(to), [from] "+&r"(from)
      : [pairs] "r"((quads + 1) >> 1), [mask] "r"(0xFF00FF00u)
      : "memory");
#else
  for (int32_t i = 0; i < (quads + 1) / 2 * 2; ++i) {
    const uint32_t four = (uint32_t)from[i];
    to[2 * i] = (int32_t)(four << 8 & 0xFF00FF00u);
    to[2 * i + 1] = (int32_t)(four & 0xFF00FF00u);
  }
#endif
}

/* ek_dots_mac16 with weights that are 256 times as large; sums below 2^23 in magnitude. */
static inline void ek_scaled_dots_mac16(int32_t *sums, int32_t *end, int32_t start, const int16_t *x,
                                        int32_t step, const int32_t *weights, int32_t quads) {
#ifdef __XTENSA__
  int32_t work;
  start = (int32_t)((uint32_t)start << EK_SCALE_BITS_MAC16);
  step -= 8 * quads + 4; /* behind a row x has been moved so far */
  EK_DOTS_ASM_MAC16("srai %[work], %[work], 8\n");
#else
  for (; sums != end; ++sums) {
    uint32_t sum = (uint32_t)start << EK_SCALE_BITS_MAC16;
    for (int32_t i = 0; i < 2 * quads; ++i) {
      sum += (uint32_t)(x[2 * i] * (int16_t)weights[i]) + (uint32_t)(x[2 * i + 1] * (weights[i] >> 16));
    }
    *sums = (int32_t)sum >> EK_SCALE_BITS_MAC16;
    x += step / 2;
  }
#endif
}

/* One such sum of weights that are read once: as they lie in flash, 4 * quads of them. */
static inline int32_t ek_narrow_dot_mac16(int32_t start, const int16_t *x, const int32_t *weights,
                                          int32_t quads) {
#ifdef __XTENSA__
  int32_t sum;
  uint32_t even, odd;
  __asm__ volatile(
      "addi %[x], %[x], -4\n" EK_WSR_ACCLO("%[start]") EK_LDINC(0, "%[x]") EK_PLACE(2)
          EK_LOOP("%[quads]") "l32i.n %[even], %[weights], 0\n"
                              "addi.n %[weights], %[weights], 4\n"
                              "and %[odd], %[even], %[mask]\n"
                              "slli %[even], %[even], 8\n"
                              "and %[even], %[even], %[mask]\n" EK_MULA_DA_LL_LDINC(1, "%[x]", 0, "%[even]")
                                  EK_MULA_DA_HH(0, "%[even]") EK_MULA_DA_LL_LDINC(0, "%[x]", 1, "%[odd]")
                                      EK_MULA_DA_HH(1, "%[odd]") EK_LOOP_END EK_PLACE_END EK_RSR_ACCLO(
                                          "%[sum]") "srai %[sum], %[sum], 8\n"
      : [sum] "=&r"(sum), [even] "=&r"(even), [odd] "=&r"(odd), [x] "+&r"(x), [weights] "+&r"(weights)
      : [start] "r"((uint32_t)start << EK_SCALE_BITS_MAC16), [quads] "r"(quads), [mask] "r"(0xFF00FF00u)
      : "memory");
  return sum;
#else
  uint32_t sum = (uint32_t)start << EK_SCALE_BITS_MAC16;
  for (int32_t i = 0; i < quads; ++i, x += 4) {
    const int8_t *four = (const int8_t *)(const void *)(weights + i);
    sum += (uint32_t)(256 * (x[0] * four[0] + x[1] * four[2] + x[2] * four[1] + x[3] * four[3]));
  }
  return (int32_t)sum >> EK_SCALE_BITS_MAC16;
#endif
}

#endif
