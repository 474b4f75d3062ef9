/* FULLY_CONNECTED on x86, int8 activations, int8 weights, int32 bias: up to four vectors times the weights of
 * eight outputs at a time. Twin: edgekit/engine/cores/x86/fully_connected.py. */
#ifndef EK_FULLY_CONNECTED_LANES_S8_X86_H
#define EK_FULLY_CONNECTED_LANES_S8_X86_H

#include "rows.h"
#include "tile.x86.h"

typedef struct {
  ek_matrix_x86 matrix;
  int32_t vectors; /* in a row */
} ek_fully_connected_lanes_s8_x86_layer;

/* input: (rows, vectors, depth); output: (rows, vectors, output_channels);
 * scratch: int16 (depth rounded up to a multiple of 8, EK_PIXELS_X86), of one vector alone a quarter of it.
 */
static inline void ek_fully_connected_lanes_s8_x86(const ek_fully_connected_lanes_s8_x86_layer *layer,
                                                   ek_rows input, ek_rows output, int8_t *scratch,
                                                   int32_t row_begin, int32_t row_end) {
  const int32_t depth = layer->matrix.depth;
  int16_t *pairs = (int16_t *)(void *)scratch;
  for (int32_t y = row_begin; y < row_end; ++y) {
    const int8_t *vector = ek_part(input, y, layer->vectors * depth);
    int8_t *units = ek_row(output, y);
    for (int32_t left = layer->vectors; left > 0; left -= EK_PIXELS_X86) {
      if (left == 1) {
        ek_widen_x86(vector, depth, pairs);
        ek_outputs_of_one_x86(&layer->matrix, pairs, units);
        break;
      }
      const int32_t count = left < EK_PIXELS_X86 ? left : EK_PIXELS_X86;
      const int8_t *from[EK_PIXELS_X86];
      int8_t *pixels[EK_PIXELS_X86];
      for (int32_t i = 0; i < EK_PIXELS_X86; ++i) {
        from[i] = vector + (i < count ? i * depth : 0);
        pixels[i] = units + (i < count ? i * layer->matrix.output_channels : 0);
      }
      ek_widen_four_x86(from, depth, pairs);
      ek_outputs_of_four_x86(&layer->matrix, pairs, pixels, count);
      vector += EK_PIXELS_X86 * depth;
      units += EK_PIXELS_X86 * layer->matrix.output_channels;
    }
  }
}

#endif
