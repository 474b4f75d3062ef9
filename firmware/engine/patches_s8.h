/* The windows of some output pixels, gathered side by side: of EK_TILE_PIXELS for tile_s8.h. */
#ifndef EK_PATCHES_S8_H
#define EK_PATCHES_S8_H

#include "patch_s8.h"
#include "tile_pixels.h"

/* Copies so many activations, each `pixels` behind the one before; returns where the next one goes. */
static inline int8_t *ek_spread(int8_t *to, const int8_t *from, int32_t count, const int32_t pixels) {
  for (; count >= 4; count -= 4, from += 4, to += 4 * pixels) {
    to[0] = from[0];
    to[pixels] = from[1];
    to[2 * pixels] = from[2];
    to[3 * pixels] = from[3];
  }
  for (; count > 0; --count, ++from, to += pixels) {
    *to = *from;
  }
  return to;
}

static inline int8_t *ek_spread_value(int8_t *to, int8_t value, int32_t count, const int32_t pixels) {
  for (; count > 0; --count, to += pixels) {
    *to = value;
  }
  return to;
}

/* Gathers the window of output pixel (y, x) into every so manieth byte of patch: (kernel_rows,
 * kernel_columns, input_channels, pixels). */
static inline void ek_gather_beside(const ek_window_s8 *window, ek_rows input, int32_t y, int32_t x,
                                    const int32_t pixels, int8_t *patch) {
  const int32_t channels = window->input_channels;
  const int32_t columns = window->kernel_columns;
  const int32_t left = x * window->stride_columns - window->pad_left;
  const int8_t outside = window->input_zero_point;
  const int is_inside = window->dilation_columns == 1 && left >= 0 && left + columns <= window->input_columns;
  int32_t input_y = y * window->stride_rows - window->pad_top;
  for (int32_t kernel_y = window->kernel_rows; kernel_y > 0; --kernel_y, input_y += window->dilation_rows) {
    if (input_y < 0 || input_y >= window->input_rows) {
      patch = ek_spread_value(patch, outside, columns * channels, pixels);
      continue;
    }
    const int8_t *row = ek_row(input, input_y); /* (input_columns, input_channels) */
    if (is_inside) {
      patch = ek_spread(patch, row + left * channels, columns * channels, pixels);
      continue;
    }
    int32_t input_x = left;
    for (int32_t kernel_x = columns; kernel_x > 0; --kernel_x, input_x += window->dilation_columns) {
      patch = input_x < 0 || input_x >= window->input_columns
                  ? ek_spread_value(patch, outside, channels, pixels)
                  : ek_spread(patch, row + input_x * channels, channels, pixels);
    }
  }
}

static inline void ek_gather_patches(const ek_window_s8 *window, ek_rows input, int32_t y, int32_t x,
                                     int8_t *patch) {
  ek_gather_beside(window, input, y, x, EK_TILE_PIXELS, patch);
}

#endif
