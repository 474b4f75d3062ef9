/* CONV_2D of int8 on the LX6 whose weights are widened once for a block of pixels. Twin:
 * edgekit/engine/cores/mac16/_narrow.py. */
#ifndef EK_CONV_2D_BLOCKS_OF_PIXELS_MAC16_H
#define EK_CONV_2D_BLOCKS_OF_PIXELS_MAC16_H

#include "narrow.mac16.h"
#include "packed.h"
#include "requantize_sums.mac16.h"
#include "strip.mac16.h"

#define EK_BLOCK_MAC16 32

typedef struct {
  ek_window_mac16 window;
  const int32_t *channels; /* (output_channels, EK_COMPACT_WORDS) */
  ek_activations_mac16 to;
  int32_t quads;
  int32_t output_columns;
  int32_t rows;  /* at once; all their pixels are 1..EK_BLOCK_MAC16 */
  int32_t run;   /* pixels of each of them */
  int32_t strip; /* values from one row's strip to the next */
} ek_pixels_mac16;

typedef struct {
  ek_packed packed; /* (output_channels, 4 * quads), each four in the order in which they are widened */
  ek_pixels_mac16 pixels;
} ek_conv_2d_packed_mac16_layer;

/* Widens the weights of the next channel, as ek_widen_weights_mac16 does. */
typedef ek_packed ek_widen_next_mac16(ek_packed weights, int32_t *widened, int32_t quads);

/* Sums of this channel, as ek_scaled_dots_mac16 makes them. codes: where those of its weights begin. */
typedef void ek_sum_pixels_mac16(int32_t *sums, int32_t *end, int32_t start, const int16_t *x, int32_t step,
                                 const int32_t *widened, int32_t quads, const uint8_t *codes);

/* Where all weights are widened, their codes are not needed any more. */
static inline void ek_sum_all_mac16(int32_t *sums, int32_t *end, int32_t start, const int16_t *x,
                                    int32_t step, const int32_t *widened, int32_t quads,
                                    const uint8_t *codes) {
  (void)codes;
  ek_scaled_dots_mac16(sums, end, start, x, step, widened, quads);
}

/* All channels of rows [y, y + rows), pixels [x, x + count), whose windows lie in strips. widened: the
 * weights of one channel. */
static inline void ek_conv_2d_block_mac16(const ek_pixels_mac16 *layer, ek_packed weights,
                                          ek_widen_next_mac16 *widen, ek_sum_pixels_mac16 *sum_pixels,
                                          const int16_t *strips, int32_t *widened, int32_t rows,
                                          int32_t count, ek_rows output, int32_t y, int32_t x) {
  int32_t sums[EK_BLOCK_MAC16];
  const int32_t step = 2 * layer->window.stride_columns * layer->window.column;
  /* Windows of one pixel follow each other in all strips, and so do whole rows of the output. */
  const int windows_follow = 2 * layer->strip == count * step;
  const int rows_follow = windows_follow && count == layer->output_columns &&
                          ek_rows_follow_mac16(output, y, rows, count * layer->to.step);
  const int32_t runs = windows_follow ? 1 : rows, dots = windows_follow ? rows * count : count;
  const int32_t parts = rows_follow ? 1 : rows, pixels = rows_follow ? rows * count : count;
  const int32_t *compact = layer->channels;
  for (int32_t at = x * layer->to.step; at < (x + 1) * layer->to.step; ++at) {
    int32_t channel[EK_CHANNEL_WORDS];
    ek_unfold_channel_mac16(compact, &layer->to, channel);
    const uint8_t *codes = weights.codes;
    weights = widen(weights, widened, layer->quads);
    for (int32_t i = 0; i < runs; ++i) {
      int32_t *sum = sums + i * dots;
      sum_pixels(sum, sum + dots, channel[0], strips + i * layer->strip, step, widened, layer->quads, codes);
    }
    for (int32_t i = 0; i < parts; ++i) {
      ek_requantize_mac16(channel, &layer->to, sums + i * pixels, pixels, ek_row(output, y + i) + at);
    }
    compact += EK_COMPACT_WORDS;
  }
}

/* input: (input_rows, input_columns, channels); output: (rows, output_columns, output_channels); scratch: the
 * widened weights of a channel, those of one four more, a strip for each of the rows that are computed at
 * once, and 4 bytes that are read but count for nothing; aligned to 4 bytes. */
static inline void ek_conv_2d_by_blocks_mac16(const ek_pixels_mac16 *layer, ek_packed weights,
                                              ek_widen_next_mac16 *widen, ek_sum_pixels_mac16 *sum_pixels,
                                              ek_rows input, ek_rows output, int8_t *scratch,
                                              int32_t row_begin, int32_t row_end) {
  int32_t *widened = (int32_t *)(void *)scratch;
  int16_t *strips = (int16_t *)(void *)(widened + 2 * layer->quads + 2);
  for (int32_t y = row_begin; y < row_end; y += layer->rows) {
    const int32_t rows = row_end - y < layer->rows ? row_end - y : layer->rows;
    for (int32_t x = 0; x < layer->output_columns; x += layer->run) {
      const int32_t left = layer->output_columns - x;
      const int32_t count = left < layer->run ? left : layer->run;
      for (int32_t i = 0; i < rows; ++i) {
        ek_gather_strip_mac16(&layer->window, input, y + i, x, count, strips + i * layer->strip);
      }
      ek_conv_2d_block_mac16(layer, weights, widen, sum_pixels, strips, widened, rows, count, output, y, x);
    }
  }
}

#endif
