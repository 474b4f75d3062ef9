/* CONV_2D of int8 on the LX6 with weights of which four channels, or more, share the two of each four depths
 * that are kept. Those activations of a pixel are picked once for all of them; what follows are dot products
 * of half the depth. Twin: edgekit/engine/forms/blocks/_chosen_mac16.py. */
#ifndef EK_CONV_2D_CHOSEN_MAC16_H
#define EK_CONV_2D_CHOSEN_MAC16_H

#include "conv_2d_blocks_of_pixels.mac16.h"

typedef struct {
  const int32_t *weights; /* (output_channels, 4 * fours), and one word that is read ahead */
  const uint8_t
      *choices;    /* (output_channels / sharing, quads): of four values of a strip, 4 * first + second */
  int32_t fours;   /* a fourth of the products of one output; one of two fours of a strip, rounded up */
  int32_t sharing; /* channels with the same choices */
  ek_pixels_mac16 pixels;
} ek_conv_2d_chosen_mac16_layer;

/* Sums of a channel as ek_dots_mac16 makes them. widened: room for its weights. Returns those of the next. */
typedef const int32_t *ek_sum_chosen_mac16(int32_t *sums, int32_t *end, int32_t start, const int16_t *x,
                                           int32_t step, const int32_t *weights, int32_t *widened,
                                           int32_t fours);

#ifdef __XTENSA__
/* TAKE and PUT: two values from %[from] to %[to]; first and second are free for them. */
#define EK_PICK_MAC16(TAKE, PUT)                                                                             \
  __asm__ volatile(EK_PLACE(2) EK_LOOP("%[count]") TAKE                                                      \
                   "add.n %[from], %[from], %[step]\n" PUT                                                   \
                   "add.n %[to], %[to], %[row]\n" EK_LOOP_END EK_PLACE_END                                   \
                   : [first] "=&r"(first), [second] "=&r"(second), [from] "+&r"(from), [to] "+&r"(to)        \
                   : [count] "r"(count), [step] "r"(step), [row] "r"(row)                                    \
                   : "memory")
#define EK_PICK_WORD_MAC16(AT)                                                                               \
  EK_PICK_MAC16("l32i.n %[first], %[from], " AT "\n", "s32i.n %[first], %[to], 0\n")
#define EK_PICK_HALVES_MAC16(FIRST, SECOND)                                                                  \
  EK_PICK_MAC16("l16ui %[first], %[from], " FIRST "\nl16ui %[second], %[from], " SECOND "\n",                \
                "s16i %[first], %[to], 0\ns16i %[second], %[to], 2\n")
#endif

/* Picks two of the four values at `from` for each of `count` pixels, count >= 1, which lie `step` bytes apart
 * there and `row` bytes at `to`. All are aligned to 4 bytes. */
static inline void ek_pick_mac16(int16_t *to, int32_t row, const int16_t *from, int32_t step, int32_t choice,
                                 int32_t count) {
#ifdef __XTENSA__
  uint32_t first, second;
  switch (choice) {
  case 1:
    EK_PICK_WORD_MAC16("0");
    break;
  case 2:
    EK_PICK_HALVES_MAC16("0", "4");
    break;
  case 3:
    EK_PICK_HALVES_MAC16("0", "6");
    break;
  case 6:
    EK_PICK_HALVES_MAC16("2", "4");
    break;
  case 7:
    EK_PICK_HALVES_MAC16("2", "6");
    break;
  default:
    EK_PICK_WORD_MAC16("4");
    break;
  }
#else
  const int32_t first = choice >> 2, second = choice & 3;
  for (; count > 0; --count, to += row / 2, from += step / 2) {
    to[0] = from[first];
    to[1] = from[second];
  }
#endif
}

/* All channels of rows [y, y + rows), pixels [x, x + count), whose windows lie in strips. picked: the
 * activations that some channels share, (rows, count, 4 * fours). */
static inline void ek_conv_2d_chosen_block_mac16(const ek_conv_2d_chosen_mac16_layer *layer,
                                                 ek_sum_chosen_mac16 *sum, const int16_t *strips,
                                                 int16_t *picked, int32_t *widened, int32_t rows,
                                                 int32_t count, ek_rows output, int32_t y, int32_t x) {
  int32_t sums[EK_BLOCK_MAC16];
  const ek_pixels_mac16 *pixels = &layer->pixels;
  const int32_t step = 2 * pixels->window.stride_columns * pixels->window.column, row = 8 * layer->fours;
  /* Windows of one pixel follow each other in all strips, and so do whole rows of the output. */
  const int windows_follow = 2 * pixels->strip == count * step;
  const int rows_follow =
      count == pixels->output_columns && ek_rows_follow_mac16(output, y, rows, count * pixels->to.step);
  const int32_t runs = windows_follow ? 1 : rows, picks = windows_follow ? rows * count : count;
  const int32_t parts = rows_follow ? 1 : rows, part = rows_follow ? rows * count : count;
  const int32_t *weights = layer->weights, *compact = pixels->channels;
  const uint8_t *choice = layer->choices;
  int32_t sharing = 0;
  for (int32_t at = 0; at < pixels->to.step; ++at, --sharing, compact += EK_COMPACT_WORDS) {
    int32_t channel[EK_CHANNEL_WORDS];
    if (sharing == 0) {
      sharing = layer->sharing;
      for (int32_t i = 0; i < pixels->quads; ++i, ++choice) {
        for (int32_t run = 0; run < runs; ++run) {
          ek_pick_mac16(picked + run * picks * (row / 2) + 2 * i, row, strips + run * pixels->strip + 4 * i,
                        step, *choice, picks);
        }
      }
    }
    ek_unfold_channel_mac16(compact, &pixels->to, channel);
    weights = sum(sums, sums + rows * count, channel[0], picked, row, weights, widened, layer->fours);
    for (int32_t i = 0; i < parts; ++i) {
      ek_requantize_mac16(channel, &pixels->to, sums + i * part, part,
                          ek_row(output, y + i) + x * pixels->to.step + at);
    }
  }
}

/* input: (input_rows, input_columns, channels); output: (rows, output_columns, output_channels); scratch:
 * aligned to 4 bytes, `widened` bytes for a channel's weights, what is picked for a block of pixels, 8 *
 * fours bytes each, a strip for each of its rows, and 4 bytes that are read but count for nothing. */
static inline void ek_conv_2d_chosen_mac16(const ek_conv_2d_chosen_mac16_layer *layer,
                                           ek_sum_chosen_mac16 *sum, int32_t widened_bytes, ek_rows input,
                                           ek_rows output, int8_t *scratch, int32_t row_begin,
                                           int32_t row_end) {
  const ek_pixels_mac16 *pixels = &layer->pixels;
  int32_t *widened = (int32_t *)(void *)scratch;
  int16_t *picked = (int16_t *)(void *)(scratch + widened_bytes);
  int16_t *strips = picked + pixels->rows * pixels->run * 4 * layer->fours;
  for (int32_t y = row_begin; y < row_end; y += pixels->rows) {
    const int32_t rows = row_end - y < pixels->rows ? row_end - y : pixels->rows;
    for (int32_t x = 0; x < pixels->output_columns; x += pixels->run) {
      const int32_t left = pixels->output_columns - x;
      const int32_t count = left < pixels->run ? left : pixels->run;
      for (int32_t i = 0; i < rows; ++i) {
        ek_gather_strip_mac16(&pixels->window, input, y + i, x, count, strips + i * pixels->strip);
      }
      ek_conv_2d_chosen_block_mac16(layer, sum, strips, picked, widened, rows, count, output, y, x);
    }
  }
}

#endif
