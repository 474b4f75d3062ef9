/* FULLY_CONNECTED, int8 activations, int8 weights without their zeros, int32 bias. Twin:
 * edgekit/engine/forms/delta/fully_connected.py. */
#ifndef EK_FULLY_CONNECTED_DELTA_H
#define EK_FULLY_CONNECTED_DELTA_H

#include "delta_vector_s8.h"
#include "rows.h"

typedef struct {
  ek_delta_s8 delta;
  int32_t vectors; /* in a row */
} ek_fully_connected_delta_layer;

/* input: (rows, vectors, depth); output: (rows, vectors, output_channels). */
static inline void ek_fully_connected_delta(const ek_fully_connected_delta_layer *layer,
                                            const int32_t gap_bits, ek_rows input, ek_rows output,
                                            int32_t row_begin, int32_t row_end) {
  const int32_t depth = layer->delta.matrix.depth;
  for (int32_t y = row_begin; y < row_end; ++y) {
    const int8_t *vector = ek_part(input, y, layer->vectors * depth);
    int8_t *units = ek_row(output, y);
    for (int32_t i = 0; i < layer->vectors; ++i) {
      ek_delta_vector_s8(&layer->delta, gap_bits, vector, units);
      vector += depth;
      units += layer->delta.matrix.output_channels;
    }
  }
}

#endif
