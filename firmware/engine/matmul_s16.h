/* BATCH_MATMUL of int16 matrices. Twin: edgekit/engine/ops/_matmul.py. */
#ifndef EK_MATMUL_S16_H
#define EK_MATMUL_S16_H

#include "matmul_shape.h"
#include "requantize_s16.h"
#include "rows.h"

typedef struct {
  ek_matmul_shape shape;
  int32_t multiplier;
  int32_t shift;
} ek_matmul_s16_layer;

/* left, right: whole, as the shape says; output: (rows, vectors, columns). */
static inline void ek_matmul_s16(const ek_matmul_s16_layer *layer, ek_rows left, ek_rows right,
                                 ek_rows output, int32_t row_begin, int32_t row_end) {
  const ek_matmul_shape *shape = &layer->shape;
  for (int32_t y = row_begin; y < row_end; ++y) {
    int16_t *vector = (int16_t *)(void *)ek_row(output, y);
    for (int32_t i = 0; i < shape->vectors; ++i, vector += shape->columns) {
      const ek_matmul_place place = ek_matmul_at(shape, y * shape->vectors + i);
      const int16_t *other = (const int16_t *)(const void *)right.data + place.right;
      for (int32_t column = 0; column < shape->columns; ++column, other += shape->right_column) {
        const int16_t *x = (const int16_t *)(const void *)left.data + place.left;
        int64_t sum = 0;
        for (int32_t k = 0; k < shape->depth; ++k, x += shape->left_depth) {
          sum += *x * other[k * shape->right_depth];
        }
        const int32_t scaled = ek_requantize_s16(sum, layer->multiplier, layer->shift);
        vector[column] = ek_clamp_s16(scaled, INT16_MIN, INT16_MAX);
      }
    }
  }
}

#endif
