/* FULLY_CONNECTED of packed weights, int8 activations, int32 bias: each block of channels is unpacked once
 * for all vectors. Twin: edgekit/engine/forms/packed/fully_connected.py. */
#ifndef EK_FULLY_CONNECTED_PACKED_S8_H
#define EK_FULLY_CONNECTED_PACKED_S8_H

#include "packed_matrix_s8.h"
#include "rows.h"

typedef struct {
  ek_matrix_s8 matrix; /* as of matrix_vector_s8.h, without weights */
  ek_packed packed;
  int32_t vectors; /* in a row */
} ek_fully_connected_packed_s8_layer;

/* input: (rows, vectors, depth); output: (rows, vectors, output_channels), which shares no memory with the
 * input; scratch: (4, depth) bytes. */
static inline void ek_fully_connected_packed_s8(const ek_fully_connected_packed_s8_layer *layer,
                                                ek_unpack *unpack, ek_rows input, ek_rows output,
                                                int8_t *scratch, int32_t row_begin, int32_t row_end) {
  const int32_t depth = layer->matrix.depth;
  const int32_t channels = layer->matrix.output_channels;
  ek_packed packed = layer->packed;
  for (int32_t first = 0; first < channels; first += 4) {
    const ek_matrix_s8 part = ek_matrix_part_s8(&layer->matrix, first, scratch);
    packed = unpack(packed, scratch, part.output_channels * depth);
    for (int32_t y = row_begin; y < row_end; ++y) {
      const int8_t *vector = ek_part(input, y, layer->vectors * depth);
      int8_t *units = ek_row(output, y) + first;
      for (int32_t left = layer->vectors; left > 0; --left, vector += depth, units += channels) {
        ek_matrix_vector_s8(&part, vector, units);
      }
    }
  }
}

#endif
