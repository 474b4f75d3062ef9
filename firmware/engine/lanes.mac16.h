/* Depthwise convolution of int8 with windows of 3 x 3 on the LX6.
 *
 * Four channels at a time are cut out of three rows, for a run of output pixels: two planes, (columns, 3
 * rows) words, of which the first holds channels 0 and 2 in its low and high halves, the second 1 and 3. So
 * one load, one mask and one shift serve four activations, and a channel's window is nine words that follow
 * each other. */
#ifndef EK_LANES_MAC16_H
#define EK_LANES_MAC16_H

#include "packed.h"
#include "requantize_sums.mac16.h"
#include "rows.h"

#include <stddef.h>

#define EK_RUN_3X3_MAC16 24

typedef struct {
  const int32_t *channels; /* (channels, EK_CHANNEL_WORDS), or (channels, EK_COMPACT_WORDS) */
  ek_activations_mac16 to; /* its step is the number of channels */
  int32_t input_rows;
  int32_t input_columns;
  int32_t output_columns;
  int32_t stride; /* of rows and columns */
  int32_t pad_top;
  int32_t pad_left;
  int32_t padding; /* the input's zero point + 128, in both halves of a word */
  int32_t run;     /* output pixels at once, 1..EK_RUN_3X3_MAC16 */
} ek_lanes_mac16;

#define EK_TAP_WORDS_MAC16 5

/* Takes the weights of the next channel: (column, row) of the window, two int16 a word, the last alone. */
typedef ek_packed ek_take_taps_mac16(ek_packed weights, int32_t *taps);

/* Two weights of int8 in one word. */
static inline int32_t ek_pair_mac16(const int8_t *from) {
  return (int32_t)((uint32_t)(uint16_t)from[0] | (uint32_t)from[1] << 16);
}

/* Nine weights of int8 as a channel's taps: one by one, so that they come to registers. */
static inline void ek_pair_taps_mac16(const int8_t *from, int32_t *taps) {
  taps[0] = ek_pair_mac16(from);
  taps[1] = ek_pair_mac16(from + 2);
  taps[2] = ek_pair_mac16(from + 4);
  taps[3] = ek_pair_mac16(from + 6);
  taps[4] = from[8];
}

/* Widens `count` activations of each of four channels into two planes, 3 words apart; count >= 1. All is
 * aligned. */
static inline void ek_widen_lanes_mac16(const int8_t *from, int32_t step, int32_t count, uint32_t *even,
                                        uint32_t *odd) {
#ifdef __XTENSA__
  uint32_t word, masked;
  __asm__ volatile(
      EK_PLACE(2) EK_LOOP("%[count]") "l32i.n %[word], %[from], 0\n"
                                      "add.n %[from], %[from], %[step]\n"
                                      "xor %[word], %[word], %[sign]\n"
                                      "and %[masked], %[word], %[mask]\n"
                                      "srli %[word], %[word], 8\n"
                                      "and %[word], %[word], %[mask]\n"
                                      "s32i.n %[masked], %[even], 0\n"
                                      "s32i.n %[word], %[odd], 0\n"
                                      "addi.n %[even], %[even], 12\n"
                                      "addi.n %[odd], %[odd], 12\n" EK_LOOP_END EK_PLACE_END
      : [word] "=&r"(word), [masked] "=&r"(masked), [from] "+&r"(from), [even] "+&r"(even), [odd] "+&r"(odd)
      : [count] "r"(count), [step] "r"(step), [sign] "r"(0x80808080u), [mask] "r"(0x00FF00FFu)
      : "memory");
#else
  for (; count > 0; --count, from += step, even += 3, odd += 3) {
    *even = (uint32_t)(from[0] + 128) | (uint32_t)(from[2] + 128) << 16;
    *odd = (uint32_t)(from[1] + 128) | (uint32_t)(from[3] + 128) << 16;
  }
#endif
}

/* One row of the planes, from input_x on: `lanes` channels, 1..4, of `columns` columns. */
static inline void ek_cut_row_mac16(const ek_lanes_mac16 *layer, const int8_t *row, int32_t input_x,
                                    int32_t lanes, int32_t columns, uint32_t *even, uint32_t *odd) {
  const uint32_t padding = (uint32_t)layer->padding;
  const int32_t step = layer->to.step;
  int32_t inside = row == NULL ? 0 : layer->input_columns - input_x;
  inside = inside < columns ? inside : columns;
  for (; columns > 0 && (input_x < 0 || inside <= 0); --columns, --inside, ++input_x, even += 3, odd += 3) {
    *even = padding;
    *odd = padding;
  }
  if (columns == 0) {
    return;
  }
  const int8_t *from = row + input_x * step;
  columns -= inside;
  if (step % 4 == 0) {
    ek_widen_lanes_mac16(from, step, inside, even, odd);
    even += 3 * inside;
    odd += 3 * inside;
  } else {
    for (; inside > 0; --inside, from += step, even += 3, odd += 3) {
      uint32_t low = (uint8_t)from[0], high = 0;
      high = lanes > 1 ? (uint8_t)from[1] : high;
      low |= lanes > 2 ? (uint32_t)(uint8_t)from[2] << 16 : 0;
      high |= lanes > 3 ? (uint32_t)(uint8_t)from[3] << 16 : 0;
      *even = low ^ 0x00800080u;
      *odd = high ^ 0x00800080u;
    }
  }
  for (; columns > 0; --columns, even += 3, odd += 3) {
    *even = padding;
    *odd = padding;
  }
}

#ifdef __XTENSA__
/* Nine products of a plane's low or high halves with weights, and a sum; then `step` bytes on in the plane.
 */
#define EK_SUMS_3X3_MAC16(FIRST, SECOND, LAST)                                                               \
  __asm__ volatile(                                                                                          \
      "addi %[x], %[x], -4\n" EK_PLACE(2) EK_LOOP("%[count]") /**/                                           \
      EK_WSR_ACCLO("%[start]") EK_LDINC(0, "%[x]")            /**/                                           \
      FIRST(1, "%[x]", 0, "%[w0]") SECOND(0, "%[x]", 1, "%[w0]") FIRST(1, "%[x]", 0, "%[w1]")                \
          SECOND(0, "%[x]", 1, "%[w1]") FIRST(1, "%[x]", 0, "%[w2]") SECOND(0, "%[x]", 1, "%[w2]")           \
              FIRST(1, "%[x]", 0, "%[w3]") SECOND(0, "%[x]", 1, "%[w3]") LAST(0, "%[w4]")                    \
                  EK_RSR_ACCLO("%[sum]") "s32i.n %[sum], %[sums], 0\n"                                       \
                                         "addi.n %[sums], %[sums], 4\n"                                      \
                                         "add.n %[x], %[x], %[step]\n" EK_LOOP_END EK_PLACE_END              \
      : [sum] "=&r"(sum), [x] "+&r"(x), [sums] "+&r"(sums)                                                   \
      : [count] "r"(count), [step] "r"(step - 36), [start] "r"(start), [w0] "r"(weights[0]),                 \
        [w1] "r"(weights[1]), [w2] "r"(weights[2]), [w3] "r"(weights[3]), [w4] "r"(weights[4])               \
      : "memory")
#endif

/* The sums of one channel, which lies in the low or high halves of a plane; the windows are `step` bytes
 * apart. */
static inline void ek_sums_3x3_mac16(int32_t *sums, int32_t count, int32_t start, const uint32_t *x,
                                     int32_t step, int is_high, const int32_t *weights) {
#ifdef __XTENSA__
  int32_t sum;
  if (is_high) {
    EK_SUMS_3X3_MAC16(EK_MULA_DA_HL_LDINC, EK_MULA_DA_HH_LDINC, EK_MULA_DA_HL);
  } else {
    EK_SUMS_3X3_MAC16(EK_MULA_DA_LL_LDINC, EK_MULA_DA_LH_LDINC, EK_MULA_DA_LL);
  }
#else
  for (; count > 0; --count, x += step / 4) {
    *sums = start;
    for (int32_t tap = 0; tap < 9; ++tap) {
      const int32_t weight = tap % 2 == 0 ? (int16_t)weights[tap / 2] : weights[tap / 2] >> 16;
      *sums += (int32_t)(is_high ? x[tap] >> 16 : x[tap] & 0xFFFFu) * weight;
    }
    ++sums;
  }
#endif
}

/* input: (input_rows, input_columns, channels); output: (rows, output_columns, channels); scratch: two
 * planes. compact: how the channels are written. */
static inline void ek_convolve_lanes_mac16(const ek_lanes_mac16 *layer, ek_packed weights,
                                           ek_take_taps_mac16 *take, int compact, ek_rows input,
                                           ek_rows output, int8_t *scratch, int32_t row_begin,
                                           int32_t row_end) {
  const int32_t channels = layer->to.step;
  const int32_t longest = (layer->run - 1) * layer->stride + 3;
  uint32_t *planes[2] = {(uint32_t *)(void *)scratch, (uint32_t *)(void *)scratch + 3 * longest};
  int32_t sums[EK_RUN_3X3_MAC16];
  for (int32_t y = row_begin; y < row_end; ++y) {
    const int8_t *rows[3];
    for (int32_t i = 0; i < 3; ++i) {
      const int32_t input_y = y * layer->stride - layer->pad_top + i;
      rows[i] = input_y < 0 || input_y >= layer->input_rows ? NULL : ek_row(input, input_y);
    }
    int8_t *pixels = ek_row(output, y);
    for (int32_t x = 0; x < layer->output_columns; x += layer->run) {
      const int32_t left = layer->output_columns - x;
      const int32_t count = left < layer->run ? left : layer->run;
      const int32_t columns = (count - 1) * layer->stride + 3;
      const int32_t input_x = x * layer->stride - layer->pad_left;
      ek_packed following = weights;
      const int32_t *constants = layer->channels;
      int8_t *pixel = pixels + x * channels;
      for (int32_t first = 0; first < channels; first += 4) {
        const int32_t lanes = channels - first < 4 ? channels - first : 4;
        for (int32_t i = 0; i < 3; ++i) {
          const int8_t *row = rows[i] == NULL ? NULL : rows[i] + first;
          ek_cut_row_mac16(layer, row, input_x, lanes, columns, planes[0] + i, planes[1] + i);
        }
        for (int32_t lane = 0; lane < lanes; ++lane) {
          int32_t taps[EK_TAP_WORDS_MAC16], unfolded[EK_CHANNEL_WORDS];
          const int32_t *channel = constants;
          if (compact) {
            ek_unfold_channel_mac16(constants, &layer->to, unfolded);
            channel = unfolded;
          }
          constants += compact ? EK_COMPACT_WORDS : EK_CHANNEL_WORDS;
          following = take(following, taps);
          ek_sums_3x3_mac16(sums, count, channel[0], planes[lane & 1], 12 * layer->stride, lane & 2, taps);
          ek_requantize_mac16(channel, &layer->to, sums, count, pixel++);
        }
      }
    }
  }
}

#endif
