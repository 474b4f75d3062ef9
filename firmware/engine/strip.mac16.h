/* The columns of the input that a run of output pixels looks at, widened to int16, for the dot products of
 * the LX6.
 *
 * A strip holds one column of the window after the other, (columns, kernel_rows, channels), so that the
 * windows of neighboring pixels overlap in it: each activation is widened once for all pixels of the run.
 * Activations become unsigned on the way, x + 128, which the channels' sums make up for; padding is the zero
 * point + 128. */
#ifndef EK_STRIP_MAC16_H
#define EK_STRIP_MAC16_H

#include "rows.h"
#include "widen.mac16.h"

#include <stddef.h>

typedef struct {
  int32_t input_rows;
  int32_t input_columns;
  int32_t channels;
  int32_t kernel_rows;
  int32_t kernel_columns;
  int32_t stride_rows;
  int32_t stride_columns;
  int32_t dilation_rows;
  int32_t dilation_columns; /* other than 1 only where runs have one pixel */
  int32_t pad_top;
  int32_t pad_left;
  int32_t column; /* values of a column: kernel_rows * channels, perhaps one more */
  int32_t
      quads; /* channels / 4 where rows are aligned words, in which channels 0..3 become 0, 2, 1, 3; else 0 */
  int32_t padding; /* the input's zero point + 128 */
} ek_window_mac16;

/* Widens one row of the strip: `columns` pixels from input_x on, 1 apart unless the window is dilated. */
static inline void ek_widen_row_mac16(const ek_window_mac16 *window, const int8_t *row, int32_t input_x,
                                      int32_t columns, int16_t *to) {
  const int32_t channels = window->channels;
  for (; columns > 0; --columns, input_x += window->dilation_columns, to += window->column) {
    if (row == NULL || input_x < 0 || input_x >= window->input_columns) {
      for (int32_t channel = 0; channel < channels; ++channel) {
        to[channel] = (int16_t)window->padding;
      }
      continue;
    }
    const int8_t *pixel = row + input_x * channels;
    if (window->quads > 0) {
      ek_widen_words_mac16(to, pixel, window->quads);
      continue;
    }
    ek_widen_bytes_mac16(to, pixel, channels);
  }
}

/* Fills the strip for `count` output pixels of row y, from x on. */
static inline void ek_gather_strip_mac16(const ek_window_mac16 *window, ek_rows input, int32_t y, int32_t x,
                                         int32_t count, int16_t *strip) {
  const int32_t columns = (count - 1) * window->stride_columns + window->kernel_columns;
  const int32_t input_x = x * window->stride_columns - window->pad_left;
  int32_t input_y = y * window->stride_rows - window->pad_top;
  for (int32_t kernel_y = 0; kernel_y < window->kernel_rows; ++kernel_y, input_y += window->dilation_rows) {
    const int inside = input_y >= 0 && input_y < window->input_rows;
    const int8_t *row = inside ? ek_row(input, input_y) : NULL;
    if (inside && window->quads > 0 && window->column == window->channels && window->kernel_columns == 1) {
      ek_widen_words_mac16(strip, row + input_x * window->channels, columns * window->quads);
    } else {
      ek_widen_row_mac16(window, row, input_x, columns, strip + kernel_y * window->channels);
    }
  }
}

#endif
