/* CUMSUM along one axis, int8. Twin: edgekit/engine/ops/cumsum.py. */
#ifndef EK_CUMSUM_S8_H
#define EK_CUMSUM_S8_H

#include "requantize.h"
#include "rows.h"

#include <stdint.h>

typedef struct {
  int32_t before; /* elements outside of the axis */
  int32_t depth;  /* along it */
  int32_t behind; /* inside of it */
  int32_t exclusive;
  int32_t reverse;
  int32_t input_zero_point;
  int32_t input_multiplier;
  int32_t input_shift;
  int32_t output_multiplier;
  int32_t output_shift;
  int32_t output_zero_point;
} ek_cumsum_s8_layer;

/* An input value at the sums' scale, with 20 bits more. */
static inline uint32_t ek_cumsum_term(const ek_cumsum_s8_layer *layer, int32_t value) {
  const int32_t shifted = (value - layer->input_zero_point) * (1 << 20);
  return (uint32_t)ek_requantize(shifted, layer->input_multiplier, layer->input_shift);
}

/* input: (before, depth, behind), whole; output: the same, cut into its rows. Sums begin outside of the range
 * of rows where the axis does. */
static inline void ek_cumsum_s8(const ek_cumsum_s8_layer *layer, ek_rows input, ek_rows output,
                                int32_t row_begin, int32_t row_end) {
  for (int32_t start = 0; start < layer->before * layer->behind; ++start) {
    const int32_t first = start / layer->behind * layer->depth * layer->behind + start % layer->behind;
    /* TFLite Micro begins a sum with what stands for the integer 0, not for the real one. Sums wrap as its
     * do. */
    uint32_t sum = ek_cumsum_term(layer, 0);
    for (int32_t i = 0; i < layer->depth; ++i) {
      const int32_t place = layer->reverse ? layer->depth - 1 - i : i;
      const int32_t element = first + place * layer->behind;
      const uint32_t before = sum;
      sum += ek_cumsum_term(layer, input.data[element]);
      const int32_t y = element / output.row_bytes;
      if (y >= row_begin && y < row_end) {
        const int32_t scaled = ek_requantize((int32_t)(layer->exclusive ? before : sum),
                                             layer->output_multiplier, layer->output_shift);
        ek_row(output, y)[element % output.row_bytes] =
            ek_clamp(scaled + layer->output_zero_point, INT8_MIN, INT8_MAX);
      }
    }
  }
}

#endif
