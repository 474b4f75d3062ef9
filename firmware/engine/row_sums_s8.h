/* Sums over the rows of an int8 input that arrives row by row. Twin: edgekit/engine/ops/_row_sums.py. */
#ifndef EK_ROW_SUMS_S8_H
#define EK_ROW_SUMS_S8_H

#include "rows.h"

#include <stdint.h>
#include <string.h>

typedef struct {
  int32_t input_rows;
  int32_t input_columns;
  int32_t channels;
} ek_row_sums;

/* Adds rows [row_begin, row_end) of the input to sums (channels), which start at zero with the first row. The
 * sums are kept between calls. Returns whether the last row was among them. */
static inline int ek_add_rows_s8(const ek_row_sums *layer, ek_rows input, int32_t *sums, int32_t row_begin,
                                 int32_t row_end) {
  const int32_t columns = layer->input_columns;
  const int32_t channels = layer->channels;
  if (row_begin == 0) {
    memset(sums, 0, (size_t)channels * sizeof *sums);
  }
  for (int32_t y = row_begin; y < row_end; ++y) {
    const int8_t *row = ek_row(input, y); /* (input_columns, channels) */
    for (int32_t channel = 0; channel < channels; ++channel) {
      const int8_t *value = row + channel;
      int32_t sum = sums[channel];
      for (int32_t x = 0; x < columns; ++x, value += channels) {
        sum += *value;
      }
      sums[channel] = sum;
    }
  }
  return row_end == layer->input_rows;
}

#endif
