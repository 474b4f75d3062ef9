/* Any function of one int8 activation, as a table. Twin: edgekit/engine/ops/_table.py. */
#ifndef EK_TABLE_S8_H
#define EK_TABLE_S8_H

#include "rows.h"

#include <stdint.h>

typedef struct {
  const int8_t *table; /* (256), by the input's byte */
  int32_t row_elements;
} ek_table_s8_layer;

/* input, output: (rows, row_elements). */
static inline void ek_table_s8(const ek_table_s8_layer *layer, ek_rows input, ek_rows output,
                               int32_t row_begin, int32_t row_end) {
  const int8_t *table = layer->table;
  const int32_t elements = layer->row_elements;
  for (int32_t y = row_begin; y < row_end; ++y) {
    const int8_t *x = ek_row(input, y);
    int8_t *value = ek_row(output, y);
    for (int32_t i = 0; i < elements; ++i) {
      value[i] = table[(uint8_t)x[i]];
    }
  }
}

#endif
