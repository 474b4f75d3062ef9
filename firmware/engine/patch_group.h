/* The window of one group of channels: what the channels of a grouped convolution look at. */
#ifndef EK_PATCH_GROUP_H
#define EK_PATCH_GROUP_H

#include "patch_s8.h"

/* Gathers the window of output pixel (y, x), the channels of one group: (kernel_rows, kernel_columns,
 * input_channels); the window counts the channels of one group. Elements wider than a byte are gathered as
 * bytes, with a window that counts bytes. */
static inline void ek_gather_group(const ek_window_s8 *window, int32_t groups, int32_t group, ek_rows input,
                                   int32_t y, int32_t x, int8_t *patch) {
  if (groups == 1) {
    ek_gather_patch(window, input, y, x, patch);
    return;
  }
  const int32_t bytes = window->input_channels;
  int32_t input_y = y * window->stride_rows - window->pad_top;
  for (int32_t kernel_y = 0; kernel_y < window->kernel_rows; ++kernel_y, input_y += window->dilation_rows) {
    int32_t input_x = x * window->stride_columns - window->pad_left;
    for (int32_t kernel_x = 0; kernel_x < window->kernel_columns; ++kernel_x, patch += bytes) {
      if (input_y < 0 || input_y >= window->input_rows || input_x < 0 || input_x >= window->input_columns) {
        memset(patch, window->input_zero_point, (size_t)bytes);
      } else {
        memcpy(patch, ek_row(input, input_y) + (input_x * groups + group) * bytes, (size_t)bytes);
      }
      input_x += window->dilation_columns;
    }
  }
}

#endif
