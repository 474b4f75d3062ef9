/* The pixels of a convolution, a tile at a time; how a tile is multiplied by the weights is for others to
 * say. */
#ifndef EK_CONV_2D_TILES_S8_H
#define EK_CONV_2D_TILES_S8_H

#include "matrix_vector_s8.h"
#include "patches_s8.h"

/* Multiplies EK_TILE_PIXELS windows side by side (depth, EK_TILE_PIXELS) by the weights. */
typedef void ek_tile_of(const ek_matrix_s8 *matrix, const int8_t *patches, int8_t *const *pixels);

/* The same with one window (depth). */
typedef void ek_vector_of(const ek_matrix_s8 *matrix, const int8_t *patch, int8_t *pixel);

typedef struct {
  ek_window_s8 window;
  ek_matrix_s8 matrix; /* depth = kernel_rows * kernel_columns * input_channels; ek_scale allows its shifts */
  int32_t output_columns;
} ek_conv_2d_tiles_s8;

/* input: (input_rows, input_columns, input_channels); output: (rows, output_columns, output_channels);
 * scratch: (depth, EK_TILE_PIXELS) bytes.
 *
 * The pixels of one tile may lie in two rows: all that they look at is gathered before any is written. */
static inline void ek_conv_2d_by_tiles(const ek_conv_2d_tiles_s8 *layer, ek_tile_of *tile,
                                       ek_vector_of *vector, ek_rows input, ek_rows output, int8_t *scratch,
                                       int32_t row_begin, int32_t row_end) {
  int8_t *pixels[EK_TILE_PIXELS];
  int32_t count = 0;
  int32_t left = (row_end - row_begin) * layer->output_columns;
  /* The last pixels fill half a tile at most: they cost less one by one. */
  const int32_t single = left % EK_TILE_PIXELS <= EK_TILE_PIXELS / 2 ? left % EK_TILE_PIXELS : 0;
  for (int32_t y = row_begin; y < row_end; ++y) {
    int8_t *pixel = ek_row(output, y); /* (output_columns, output_channels) */
    for (int32_t x = 0; x < layer->output_columns; ++x, --left, pixel += layer->matrix.output_channels) {
      if (left <= single) {
        ek_gather_patch(&layer->window, input, y, x, scratch);
        vector(&layer->matrix, scratch, pixel);
        continue;
      }
      do { /* The last pixel fills what is left of a tile. */
        ek_gather_patches(&layer->window, input, y, x, scratch + count);
        pixels[count] = pixel;
        ++count;
      } while (left == 1 && count < EK_TILE_PIXELS);
      if (count == EK_TILE_PIXELS) {
        tile(&layer->matrix, scratch, pixels);
        count = 0;
      }
    }
  }
}

#endif
