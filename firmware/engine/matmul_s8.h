/* Products of int8 matrices, both of which may be computed: BATCH_MATMUL, and FULLY_CONNECTED with computed
 * weights. Twin: edgekit/engine/ops/_matmul.py. */
#ifndef EK_MATMUL_S8_H
#define EK_MATMUL_S8_H

#include "matmul_shape.h"
#include "requantize.h"
#include "rows.h"

typedef struct {
  ek_matmul_shape shape;
  const int32_t *bias; /* (columns), or NULL */
  int32_t left_zero_point;
  int32_t right_zero_point;
  int32_t multiplier;
  int32_t shift;
  int32_t output_zero_point;
  int32_t activation_min;
  int32_t activation_max;
} ek_matmul_s8_layer;

static inline int8_t ek_matmul_output(const ek_matmul_s8_layer *layer, int32_t column, int32_t sum) {
  const int32_t biased = layer->bias ? sum + layer->bias[column] : sum;
  const int32_t scaled = ek_requantize(biased, layer->multiplier, layer->shift);
  return ek_clamp(scaled + layer->output_zero_point, layer->activation_min, layer->activation_max);
}

/* One row of a matrix times another: left (depth), right (depth, columns), output (columns). With l = left -
 * its zero point, sum(l * (right - zero_point)) = sum(l * right) - zero_point * sum(l). */
static inline void ek_matmul_vector(const ek_matmul_s8_layer *layer, const int8_t *left, const int8_t *right,
                                    int8_t *output) {
  const ek_matmul_shape *shape = &layer->shape;
  const int32_t whole = shape->columns & ~3;
  for (int32_t column = 0; column < whole; column += 4, right += 4 * shape->right_column) {
    const int8_t *x = left;
    const int8_t *right_0 = right;
    const int8_t *right_1 = right_0 + shape->right_column;
    const int8_t *right_2 = right_1 + shape->right_column;
    const int8_t *right_3 = right_2 + shape->right_column;
    int32_t sum_0 = 0;
    int32_t sum_1 = 0;
    int32_t sum_2 = 0;
    int32_t sum_3 = 0;
    int32_t sum_left = 0;
    for (int32_t i = shape->depth, at = 0; i > 0; --i, at += shape->right_depth, x += shape->left_depth) {
      const int32_t value = *x - layer->left_zero_point;
      sum_left += value;
      sum_0 += value * right_0[at];
      sum_1 += value * right_1[at];
      sum_2 += value * right_2[at];
      sum_3 += value * right_3[at];
    }
    const int32_t excess = layer->right_zero_point * sum_left;
    output[column] = ek_matmul_output(layer, column, sum_0 - excess);
    output[column + 1] = ek_matmul_output(layer, column + 1, sum_1 - excess);
    output[column + 2] = ek_matmul_output(layer, column + 2, sum_2 - excess);
    output[column + 3] = ek_matmul_output(layer, column + 3, sum_3 - excess);
  }
  for (int32_t column = whole; column < shape->columns; ++column, right += shape->right_column) {
    const int8_t *x = left;
    int32_t sum = 0;
    for (int32_t i = shape->depth, at = 0; i > 0; --i, at += shape->right_depth, x += shape->left_depth) {
      sum += (*x - layer->left_zero_point) * (right[at] - layer->right_zero_point);
    }
    output[column] = ek_matmul_output(layer, column, sum);
  }
}

/* left, right: whole, as the shape says; output: (rows, vectors, columns). */
static inline void ek_matmul_s8(const ek_matmul_s8_layer *layer, ek_rows left, ek_rows right, ek_rows output,
                                int32_t row_begin, int32_t row_end) {
  const ek_matmul_shape *shape = &layer->shape;
  for (int32_t y = row_begin; y < row_end; ++y) {
    int8_t *vector = ek_row(output, y);
    for (int32_t i = 0; i < shape->vectors; ++i, vector += shape->columns) {
      const ek_matmul_place place = ek_matmul_at(shape, y * shape->vectors + i);
      ek_matmul_vector(layer, left.data + place.left, right.data + place.right, vector);
    }
  }
}

#endif
