/* CONV_2D of packed weights, int8: what a run of pixels looks at is gathered, then each group of channels is
 * unpacked once for all of them. Twin: edgekit/engine/forms/packed/conv_2d_mve.py. */
#ifndef EK_CONV_2D_TILE_PACKED_S8_MVE_H
#define EK_CONV_2D_TILE_PACKED_S8_MVE_H

#include "packed_matrix.mve.h"
#include "patch.mve.h"

#define EK_MOST_RUN_PIXELS_MVE 32

typedef struct {
  ek_window_s8 window;
  ek_matrix_mve matrix; /* as of conv_2d_tile_s8.mve.h, without weights */
  ek_packed packed;
  int32_t output_columns;
  int32_t run_pixels; /* even, at most EK_MOST_RUN_PIXELS_MVE */
} ek_conv_2d_tile_packed_s8_mve_layer;

/* patches: (count, depth); outputs: of each pixel, which move on to its end; unit: (4, depth). */
static inline void ek_compute_run_mve(const ek_conv_2d_tile_packed_s8_mve_layer *layer, ek_unpack *unpack,
                                      const int8_t *patches, int8_t **outputs, int32_t count, int8_t *unit) {
  const int32_t depth = layer->matrix.depth;
  ek_packed packed = layer->packed;
  ek_tile_mve tile = ek_tile_of_mve(&layer->matrix);
  for (int32_t first = 0; first < layer->matrix.output_channels; first += 4) {
    const int32_t channels = ek_take_group_mve(&tile, &layer->matrix, first, unit);
    packed = unpack(packed, unit, channels * depth);
    ek_group_times_mve(&tile, patches, depth, outputs, count);
    for (int32_t i = 0; i < count; ++i) {
      outputs[i] += channels;
    }
  }
}

/* input: (input_rows, input_columns, input_channels); output: (rows, output_columns, output_channels);
 * scratch: (4 + run_pixels, depth) bytes, and 15 that may be read.
 *
 * The pixels of one run may lie in several rows: all that they look at is gathered before any is written. */
static inline void ek_conv_2d_tile_packed_s8_mve(const ek_conv_2d_tile_packed_s8_mve_layer *layer,
                                                 ek_unpack *unpack, ek_rows input, ek_rows output,
                                                 int8_t *scratch, int32_t row_begin, int32_t row_end) {
  const int32_t depth = layer->matrix.depth;
  int8_t *patches = scratch + 4 * depth;
  int8_t *outputs[EK_MOST_RUN_PIXELS_MVE];
  int32_t count = 0;
  for (int32_t y = row_begin; y < row_end; ++y) {
    int8_t *pixel = ek_row(output, y); /* (output_columns, output_channels) */
    for (int32_t x = 0; x < layer->output_columns; ++x, pixel += layer->matrix.output_channels) {
      ek_gather_patch_mve(&layer->window, input, y, x, patches + count * depth);
      outputs[count++] = pixel;
      if (count == layer->run_pixels || (y + 1 == row_end && x + 1 == layer->output_columns)) {
        ek_compute_run_mve(layer, unpack, patches, outputs, count, scratch);
        count = 0;
      }
    }
  }
}

#endif
