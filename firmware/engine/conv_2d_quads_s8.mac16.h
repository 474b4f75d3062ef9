/* CONV_2D of int8 on the LX6 whose weights are stored in fours, those left out in which all are 0. Twin:
 * edgekit/engine/forms/blocks/conv_2d_mac16.py. */
#ifndef EK_CONV_2D_QUADS_S8_MAC16_H
#define EK_CONV_2D_QUADS_S8_MAC16_H

#include "conv_2d_blocks_of_pixels.mac16.h"

typedef struct {
  const int32_t
      *weights; /* the fours that are kept, in the order in which they are widened, and one word more */
  const uint8_t *codes; /* for each channel: how many, at least 1; how many are left out before each; 0 */
  ek_pixels_mac16 pixels;
} ek_conv_2d_quads_s8_mac16_layer;

static inline ek_packed ek_widen_quads_mac16(ek_packed weights, int32_t *widened, int32_t quads) {
  const int32_t kept = *weights.codes;
  (void)quads;
  ek_widen_weights_mac16(widened, (const int32_t *)(const void *)weights.values, kept);
  weights.values += 4 * kept;
  weights.codes += kept + 2;
  return weights;
}

static inline void ek_sum_quads_mac16(int32_t *sums, int32_t *end, int32_t start, const int16_t *x,
                                      int32_t step, const int32_t *widened, int32_t quads,
                                      const uint8_t *codes) {
  const int32_t kept = *codes++;
  (void)quads;
#ifdef __XTENSA__
  int32_t work, gap;
  const uint8_t *code;
  const int16_t *at;
  start = (int32_t)((uint32_t)start << EK_SCALE_BITS_MAC16);
  __asm__ volatile(
      "addi %[x], %[x], -4\n"
      "addi %[widened], %[widened], -4\n" EK_PLACE(2) /* the loop starts 28 bytes behind */
      "2: mov.n %[work], %[widened]\n"
      "mov.n %[code], %[codes]\n"
      "mov.n %[at], %[x]\n" EK_WSR_ACCLO("%[start]") /**/
      "l8ui %[gap], %[code], 0\n"
      "addi.n %[code], %[code], 1\n"
      "addx8 %[at], %[gap], %[at]\n" EK_LDINC(0, "%[at]") EK_LDINC(2, "%[work]") EK_LOOP("%[kept]") /**/
      "l8ui %[gap], %[code], 0\n"
      "addi.n %[code], %[code], 1\n" EK_MULA_DD_LL_LDINC(1, "%[at]", 0, 2)
          EK_MULA_DD_HH_LDINC(3, "%[work]", 0, 2) /**/
      "addx8 %[at], %[gap], %[at]\n" EK_MULA_DD_LL_LDINC(0, "%[at]", 1, 3)
          EK_MULA_DD_HH_LDINC(2, "%[work]", 1, 3) EK_LOOP_END EK_RSR_ACCLO("%[work]") /**/
      "srai %[work], %[work], 8\n"
      "s32i.n %[work], %[sums], 0\n"
      "addi.n %[sums], %[sums], 4\n"
      "add.n %[x], %[x], %[step]\n"
      "bne %[sums], %[end], 2b\n" EK_PLACE_END
      : [work] "=&r"(work), [gap] "=&r"(gap), [code] "=&r"(code), [at] "=&r"(at), [x] "+&r"(x),
        [widened] "+&r"(widened), [sums] "+&r"(sums)
      : [start] "r"(start), [kept] "r"(kept), [step] "r"(step), [end] "r"(end), [codes] "r"(codes)
      : "memory");
#else
  for (; sums != end; ++sums, x += step / 2) {
    const int16_t *at = x;
    uint32_t sum = (uint32_t)start << EK_SCALE_BITS_MAC16;
    for (int32_t i = 0; i < kept; ++i, at += 4) {
      const int32_t *four = widened + 2 * i;
      at += 4 * codes[i];
      sum += (uint32_t)(at[0] * (int16_t)four[0]) + (uint32_t)(at[1] * (four[0] >> 16));
      sum += (uint32_t)(at[2] * (int16_t)four[1]) + (uint32_t)(at[3] * (four[1] >> 16));
    }
    *sums = (int32_t)sum >> EK_SCALE_BITS_MAC16;
  }
#endif
}

static inline void ek_conv_2d_quads_s8_mac16(const ek_conv_2d_quads_s8_mac16_layer *layer, ek_rows input,
                                             ek_rows output, int8_t *scratch, int32_t row_begin,
                                             int32_t row_end) {
  const ek_packed weights = {layer->codes, (const int8_t *)layer->weights};
  ek_conv_2d_by_blocks_mac16(&layer->pixels, weights, ek_widen_quads_mac16, ek_sum_quads_mac16, input, output,
                             scratch, row_begin, row_end);
}

#endif
