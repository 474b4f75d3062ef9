/* CONV_2D of packed weights, int8 activations, int32 bias: what a run of pixels looks at is gathered, then
 * each block of channels is unpacked once for all of them. Twin: edgekit/engine/forms/packed/conv_2d.py. */
#ifndef EK_CONV_2D_PACKED_S8_H
#define EK_CONV_2D_PACKED_S8_H

#include "packed_matrix_s8.h"
#include "patches_s8.h"
#include "tile_s8.h"

#define EK_MOST_RUN_PIXELS 32

typedef struct {
  ek_window_s8 window;
  ek_matrix_s8 matrix; /* as of conv_2d_s8.h, without weights */
  ek_packed packed;
  int32_t output_columns;
  int32_t run_pixels; /* whole tiles, at most EK_MOST_RUN_PIXELS */
} ek_conv_2d_packed_s8_layer;

/* Pixels whose windows have been gathered: first those in tiles, then single ones. */
typedef struct {
  int8_t *outputs[EK_MOST_RUN_PIXELS];
  int32_t in_tiles;
  int32_t count;
} ek_run;

/* patches: (in_tiles / EK_TILE_PIXELS, depth, EK_TILE_PIXELS), (others, depth); unit: (4, depth). */
static inline void ek_compute_run(const ek_conv_2d_packed_s8_layer *layer, ek_unpack *unpack,
                                  const int8_t *patches, ek_run *run, int8_t *unit) {
  ek_packed packed = layer->packed;
  const int32_t depth = layer->matrix.depth;
  for (int32_t first = 0; first < layer->matrix.output_channels; first += 4) {
    const ek_matrix_s8 part = ek_matrix_part_s8(&layer->matrix, first, unit);
    packed = unpack(packed, unit, part.output_channels * depth);
    int32_t i = 0;
    for (; i < run->in_tiles; i += EK_TILE_PIXELS) {
      ek_tile_s8(&part, patches + i * depth, run->outputs + i);
    }
    for (; i < run->count; ++i) {
      ek_matrix_vector_s8(&part, patches + i * depth, run->outputs[i]);
    }
    for (i = 0; i < run->count; ++i) {
      run->outputs[i] += part.output_channels;
    }
  }
}

/* input: (input_rows, input_columns, input_channels); output: (rows, output_columns, output_channels);
 * scratch: (4 + run_pixels, depth) bytes.
 *
 * The pixels of one run may lie in several rows: all that they look at is gathered before any is written. */
static inline void ek_conv_2d_packed_s8(const ek_conv_2d_packed_s8_layer *layer, ek_unpack *unpack,
                                        ek_rows input, ek_rows output, int8_t *scratch, int32_t row_begin,
                                        int32_t row_end) {
  const int32_t depth = layer->matrix.depth;
  int8_t *patches = scratch + 4 * depth;
  ek_run run;
  run.in_tiles = run.count = 0;
  int32_t left = (row_end - row_begin) * layer->output_columns;
  /* The last pixels fill half a tile at most: they cost less one by one. */
  const int32_t single = left % EK_TILE_PIXELS <= EK_TILE_PIXELS / 2 ? left % EK_TILE_PIXELS : 0;
  for (int32_t y = row_begin; y < row_end; ++y) {
    int8_t *pixel = ek_row(output, y); /* (output_columns, output_channels) */
    for (int32_t x = 0; x < layer->output_columns; ++x, --left, pixel += layer->matrix.output_channels) {
      if (left <= single) {
        ek_gather_patch(&layer->window, input, y, x, patches + run.count * depth);
        run.outputs[run.count++] = pixel;
      } else {
        do { /* The last pixel fills what is left of a tile. */
          const int32_t place = run.count % EK_TILE_PIXELS;
          ek_gather_patches(&layer->window, input, y, x, patches + (run.count - place) * depth + place);
          run.outputs[run.count++] = pixel;
        } while (left == 1 && run.count % EK_TILE_PIXELS != 0);
        run.in_tiles = run.count;
      }
      if (run.count == layer->run_pixels || left == 1) {
        ek_compute_run(layer, unpack, patches, &run, scratch);
        run.in_tiles = run.count = 0;
      }
    }
  }
}

#endif
