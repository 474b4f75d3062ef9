/* The window that one output pixel of a convolution looks at, gathered into contiguous bytes.
 *
 * Padding reads as the input zero point, which is what the folded bias counts on: with it, kernels need no
 * case for borders and never subtract a zero point from an activation. */
#ifndef EK_PATCH_S8_H
#define EK_PATCH_S8_H

#include "rows.h"

#include <stdint.h>
#include <string.h>

typedef struct {
  int32_t input_rows;
  int32_t input_columns;
  int32_t input_channels;
  int32_t kernel_rows;
  int32_t kernel_columns;
  int32_t stride_rows;
  int32_t stride_columns;
  int32_t dilation_rows;
  int32_t dilation_columns;
  int32_t pad_top;
  int32_t pad_left;
  int32_t repeat; /* each channel stands this often in the patch: the depth multiplier, else 1 */
  int8_t input_zero_point;
} ek_window_s8;

/* Copies one pixel, or the zero point where the pixel lies outside of the row. */
static inline int8_t *ek_copy_pixel(const ek_window_s8 *window, const int8_t *row, int32_t x, int8_t *patch) {
  const int32_t channels = window->input_channels;
  if (x < 0 || x >= window->input_columns) {
    memset(patch, window->input_zero_point, (size_t)(channels * window->repeat));
    return patch + channels * window->repeat;
  }
  const int8_t *pixel = row + x * channels; /* (input_channels) */
  if (window->repeat == 1) {
    memcpy(patch, pixel, (size_t)channels);
    return patch + channels;
  }
  for (int32_t channel = 0; channel < channels; ++channel) {
    memset(patch, pixel[channel], (size_t)window->repeat);
    patch += window->repeat;
  }
  return patch;
}

/* Gathers the window of output pixel (y, x) into patch: (kernel_rows, kernel_columns, input_channels *
 * repeat). */
static inline void ek_gather_patch(const ek_window_s8 *window, ek_rows input, int32_t y, int32_t x,
                                   int8_t *patch) {
  const int32_t columns = window->kernel_columns;
  const int32_t left = x * window->stride_columns - window->pad_left;
  const int32_t row_bytes = columns * window->input_channels * window->repeat;
  const int inside = window->dilation_columns == 1 && window->repeat == 1 && left >= 0 &&
                     left + columns <= window->input_columns;
  int32_t input_y = y * window->stride_rows - window->pad_top;
  for (int32_t kernel_y = 0; kernel_y < window->kernel_rows; ++kernel_y, input_y += window->dilation_rows) {
    if (input_y < 0 || input_y >= window->input_rows) {
      memset(patch, window->input_zero_point, (size_t)row_bytes);
      patch += row_bytes;
      continue;
    }
    const int8_t *row = ek_row(input, input_y); /* (input_columns, input_channels) */
    if (inside) {
      memcpy(patch, row + left * window->input_channels, (size_t)row_bytes);
      patch += row_bytes;
      continue;
    }
    for (int32_t kernel_x = 0; kernel_x < columns; ++kernel_x) {
      patch = ek_copy_pixel(window, row, left + kernel_x * window->dilation_columns, patch);
    }
  }
}

#endif
