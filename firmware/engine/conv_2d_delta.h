/* CONV_2D, int8 activations, int8 weights without their zeros, int32 bias. Twin:
 * edgekit/engine/forms/delta/conv_2d.py. */
#ifndef EK_CONV_2D_DELTA_H
#define EK_CONV_2D_DELTA_H

#include "delta_tile_s8.h"
#include "delta_vector_s8.h"
#include "patches_s8.h"

typedef struct {
  ek_window_s8 window;
  ek_delta_s8 delta; /* depth = kernel_rows * kernel_columns * input_channels */
  int32_t output_columns;
} ek_conv_2d_delta_layer;

/* input: (input_rows, input_columns, input_channels); output: (rows, output_columns, output_channels);
 * scratch: (depth, EK_DELTA_PIXELS) bytes.
 *
 * The pixels of one tile may lie in two rows: all that they look at is gathered before any is written. */
static inline void ek_conv_2d_delta(const ek_conv_2d_delta_layer *layer, const int32_t gap_bits,
                                    ek_rows input, ek_rows output, int8_t *scratch, int32_t row_begin,
                                    int32_t row_end) {
  int8_t *pixels[EK_DELTA_PIXELS];
  int32_t count = 0;
  int32_t left = (row_end - row_begin) * layer->output_columns;
  /* The last pixels fill half a tile at most: they cost less one by one. */
  const int32_t rest = left % EK_DELTA_PIXELS;
  const int32_t single = rest <= EK_DELTA_PIXELS / 2 ? rest : 0;
  for (int32_t y = row_begin; y < row_end; ++y) {
    int8_t *pixel = ek_row(output, y); /* (output_columns, output_channels) */
    for (int32_t x = 0; x < layer->output_columns; ++x, --left) {
      if (left <= single) {
        ek_gather_patch(&layer->window, input, y, x, scratch);
        ek_delta_vector_s8(&layer->delta, gap_bits, scratch, pixel);
      } else {
        do { /* The last pixel fills what is left of a tile. */
          ek_gather_beside(&layer->window, input, y, x, EK_DELTA_PIXELS, scratch + count);
          pixels[count++] = pixel;
        } while (left == 1 && count < EK_DELTA_PIXELS);
        if (count == EK_DELTA_PIXELS) {
          ek_delta_tile_s8(&layer->delta, gap_bits, scratch, pixels);
          count = 0;
        }
      }
      pixel += layer->delta.matrix.output_channels;
    }
  }
}

#endif
