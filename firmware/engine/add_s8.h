/* ADD of two int8 tensors of equal shape. Twin: edgekit/engine/ops/add.py.
 * Both inputs are brought to a common scale with 20 extra bits, as TFLite's reference kernel does. */
#ifndef EK_ADD_S8_H
#define EK_ADD_S8_H

#include "requantize.h"
#include "rows.h"

typedef struct {
  int32_t row_elements;
  int32_t left_zero_point;
  int32_t left_multiplier;
  int32_t left_shift;
  int32_t right_zero_point;
  int32_t right_multiplier;
  int32_t right_shift;
  int32_t output_multiplier;
  int32_t output_shift;
  int32_t output_zero_point;
  int32_t activation_min;
  int32_t activation_max;
} ek_add_s8_layer;

/* left, right, output: (rows, row_elements). */
static inline void ek_add_s8(const ek_add_s8_layer *layer, ek_rows left, ek_rows right, ek_rows output,
                             int32_t row_begin, int32_t row_end) {
  for (int32_t y = row_begin; y < row_end; ++y) {
    const int8_t *a = ek_row(left, y);
    const int8_t *b = ek_row(right, y);
    int8_t *sum = ek_row(output, y);
    for (int32_t i = 0; i < layer->row_elements; ++i) {
      const int32_t scaled_a = ek_requantize((a[i] - layer->left_zero_point) * (1 << 20),
                                             layer->left_multiplier, layer->left_shift);
      const int32_t scaled_b = ek_requantize((b[i] - layer->right_zero_point) * (1 << 20),
                                             layer->right_multiplier, layer->right_shift);
      const int32_t scaled =
          ek_requantize(scaled_a + scaled_b, layer->output_multiplier, layer->output_shift);
      sum[i] = ek_clamp(scaled + layer->output_zero_point, layer->activation_min, layer->activation_max);
    }
  }
}

#endif
