/* The window of one output pixel, gathered 16 bytes an instruction; see patch_s8.h. */
#ifndef EK_PATCH_MVE_H
#define EK_PATCH_MVE_H

#include "patch_s8.h"

#if defined(__ARM_FEATURE_MVE)

static inline void ek_copy_mve(int8_t *to, const int8_t *from, int32_t bytes) {
  __asm__ volatile("wlstp.8 lr, %[bytes], 2f\n"
                   "1:\n"
                   "vldrb.8 q0, [%[from]], #16\n"
                   "vstrb.8 q0, [%[to]], #16\n"
                   "letp lr, 1b\n"
                   "2:\n"
                   : [to] "+r"(to), [from] "+r"(from)
                   : [bytes] "r"(bytes)
                   : "q0", "lr", "cc", "memory");
}

static inline void ek_fill_mve(int8_t *to, int32_t value, int32_t bytes) {
  __asm__ volatile("vdup.8 q0, %[value]\n"
                   "wlstp.8 lr, %[bytes], 2f\n"
                   "1:\n"
                   "vstrb.8 q0, [%[to]], #16\n"
                   "letp lr, 1b\n"
                   "2:\n"
                   : [to] "+r"(to)
                   : [value] "r"(value), [bytes] "r"(bytes)
                   : "q0", "lr", "cc", "memory");
}

#else

static inline void ek_copy_mve(int8_t *to, const int8_t *from, int32_t bytes) {
  memcpy(to, from, (size_t)bytes);
}

static inline void ek_fill_mve(int8_t *to, int32_t value, int32_t bytes) {
  memset(to, value, (size_t)bytes);
}

#endif

/* The rows of the input that the windows of one output row see, of at most 16. */
#define EK_MOST_ROWS_MVE 16

typedef struct {
  const int8_t *row[EK_MOST_ROWS_MVE];
  int32_t first; /* row of the kernel that sees row[0]; those in front see padding */
  int32_t count;
} ek_seen_rows_mve;

/* Finds the rows that output row y sees, and fills the others of both patches, of so many bytes together,
 * which all of its pixels share. */
static inline void ek_see_rows_mve(const ek_window_s8 *window, ek_rows input, int32_t y, int8_t *patches,
                                   int32_t bytes, ek_seen_rows_mve *seen) {
  seen->first = 0;
  seen->count = 0;
  int32_t input_y = y * window->stride_rows - window->pad_top;
  for (int32_t kernel_y = 0; kernel_y < window->kernel_rows; ++kernel_y, input_y += window->dilation_rows) {
    if (input_y < 0) {
      seen->first = kernel_y + 1;
    } else if (input_y < window->input_rows) {
      seen->row[seen->count++] = ek_row(input, input_y);
    }
  }
  if (seen->count < window->kernel_rows) {
    ek_fill_mve(patches, window->input_zero_point, bytes);
  }
}

/* Gathers the window of a pixel whose columns all lie inside, `left` the first of them. */
static inline void ek_gather_inside_mve(const ek_window_s8 *window, const ek_seen_rows_mve *seen,
                                        int32_t left, int8_t *patch) {
  const int32_t row_bytes = window->kernel_columns * window->input_channels;
  const int32_t offset = left * window->input_channels;
  patch += seen->first * row_bytes;
  for (int32_t i = 0; i < seen->count; ++i, patch += row_bytes) {
    ek_copy_mve(patch, seen->row[i] + offset, row_bytes);
  }
}

/* Gathers the window of output pixel (y, x) into patch: (kernel_rows, kernel_columns, input_channels). */
static inline void ek_gather_patch_mve(const ek_window_s8 *window, ek_rows input, int32_t y, int32_t x,
                                       int8_t *patch) {
  const int32_t columns = window->kernel_columns;
  const int32_t channels = window->input_channels;
  const int32_t left = x * window->stride_columns - window->pad_left;
  int32_t begin = 0;
  int32_t end = columns;
  if (window->dilation_columns == 1) {
    begin = left < 0 ? -left : 0;
    end = window->input_columns - left < columns ? window->input_columns - left : columns;
    end = end < begin ? begin : end;
  }
  const int32_t row_bytes = columns * channels;
  int32_t input_y = y * window->stride_rows - window->pad_top;
  for (int32_t kernel_y = 0; kernel_y < window->kernel_rows; ++kernel_y, input_y += window->dilation_rows) {
    if (input_y < 0 || input_y >= window->input_rows) {
      ek_fill_mve(patch, window->input_zero_point, row_bytes);
    } else if (window->dilation_columns == 1) {
      if (end - begin < columns) {
        ek_fill_mve(patch, window->input_zero_point, row_bytes);
      }
      ek_copy_mve(patch + begin * channels, ek_row(input, input_y) + (left + begin) * channels,
                  (end - begin) * channels);
    } else {
      const int8_t *row = ek_row(input, input_y);
      int8_t *pixel = patch;
      for (int32_t kernel_x = 0; kernel_x < columns; ++kernel_x) {
        pixel = ek_copy_pixel(window, row, left + kernel_x * window->dilation_columns, pixel);
      }
    }
    patch += row_bytes;
  }
}

#endif
