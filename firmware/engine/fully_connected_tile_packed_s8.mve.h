/* FULLY_CONNECTED of packed weights, int8: each group of channels is unpacked once for all vectors.
 * Twin: edgekit/engine/forms/packed/fully_connected_mve.py. */
#ifndef EK_FULLY_CONNECTED_TILE_PACKED_S8_MVE_H
#define EK_FULLY_CONNECTED_TILE_PACKED_S8_MVE_H

#include "packed_matrix.mve.h"
#include "rows.h"

typedef struct {
  ek_matrix_mve matrix; /* as of fully_connected_tile_s8.mve.h, without weights */
  ek_packed packed;
  int32_t vectors; /* in a row */
} ek_fully_connected_tile_packed_s8_mve_layer;

/* input: (rows, vectors, depth), contiguous; output: (rows, vectors, output_channels), which shares no memory
 * with the input; scratch: (4, depth) bytes, and 15 that may be read. */
static inline void
ek_fully_connected_tile_packed_s8_mve(const ek_fully_connected_tile_packed_s8_mve_layer *layer,
                                      ek_unpack *unpack, ek_rows input, ek_rows output, int8_t *scratch,
                                      int32_t row_begin, int32_t row_end) {
  const int32_t depth = layer->matrix.depth;
  const int32_t channels = layer->matrix.output_channels;
  ek_packed packed = layer->packed;
  ek_tile_mve tile = ek_tile_of_mve(&layer->matrix);
  for (int32_t first = 0; first < channels; first += 4) {
    const int32_t count = ek_take_group_mve(&tile, &layer->matrix, first, scratch) * depth;
    const int8_t *vector = input.data + row_begin * layer->vectors * depth;
    packed = unpack(packed, scratch, count);
    for (int32_t y = row_begin; y < row_end; ++y) {
      int8_t *units = ek_row(output, y) + first;
      for (int32_t left = layer->vectors; left > 0; left -= 2) {
        int8_t *const outputs[2] = {units, units + (left > 1 ? channels : 0)};
        ek_group_times_mve(&tile, vector, depth, outputs, left > 1 ? 2 : 1);
        vector += 2 * depth;
        units += 2 * channels;
      }
      vector -= layer->vectors % 2 * depth;
    }
  }
}

#endif
