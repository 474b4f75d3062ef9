/* The part of a pooling window that lies inside the input. */
#ifndef EK_POOL_WINDOW_H
#define EK_POOL_WINDOW_H

#include <stdint.h>

typedef struct {
  int32_t input_rows;
  int32_t input_columns;
  int32_t channels;
  int32_t output_columns;
  int32_t kernel_rows;
  int32_t kernel_columns;
  int32_t stride_rows;
  int32_t stride_columns;
  int32_t pad_top;
  int32_t pad_left;
  int32_t activation_min;
  int32_t activation_max;
} ek_pool_layer;

typedef struct {
  int32_t begin;
  int32_t end;
} ek_range;

/* Input positions [begin, end) under the window of output position `index` along one axis. */
static inline ek_range ek_pool_range(int32_t index, int32_t stride, int32_t pad, int32_t kernel,
                                     int32_t size) {
  const int32_t first = index * stride - pad;
  const int32_t last = first + kernel;
  const ek_range range = {first < 0 ? 0 : first, last > size ? size : last};
  return range;
}

#endif
