/* RESIZE_NEAREST_NEIGHBOR: pixels of any type, moved as bytes. Twin:
 * edgekit/engine/ops/resize_nearest_neighbor.py. */
#ifndef EK_RESIZE_NEAREST_NEIGHBOR_S8_H
#define EK_RESIZE_NEAREST_NEIGHBOR_S8_H

#include "rows.h"

#include <stdint.h>
#include <string.h>

typedef struct {
  const int16_t *rows;    /* (output_rows): the input row of each */
  const int16_t *columns; /* (output_columns): the input column of each */
  int32_t output_columns;
  int32_t pixel_bytes;
} ek_resize_nearest_neighbor_s8_layer;

/* input: (input_rows, input_columns, pixel_bytes); output: (rows, output_columns, pixel_bytes). */
static inline void ek_resize_nearest_neighbor_s8(const ek_resize_nearest_neighbor_s8_layer *layer,
                                                 ek_rows input, ek_rows output, int32_t row_begin,
                                                 int32_t row_end) {
  for (int32_t y = row_begin; y < row_end; ++y) {
    const int8_t *row = ek_row(input, layer->rows[y]);
    int8_t *to = ek_row(output, y);
    for (int32_t x = 0; x < layer->output_columns; ++x, to += layer->pixel_bytes) {
      memcpy(to, row + layer->columns[x] * layer->pixel_bytes, (size_t)layer->pixel_bytes);
    }
  }
}

#endif
