/* DEPTHWISE_CONV_2D 3x3 of int8 on Armv7E-M, columns at stride 1 or 2, a row of four channels at a time.
 * Twin: edgekit/engine/cores/dsp/depthwise_conv_2d.py. */
#ifndef EK_DEPTHWISE_CONV_2D_3X3_DSP_H
#define EK_DEPTHWISE_CONV_2D_3X3_DSP_H

#include "rows.h"
#include "strip.dsp.h"

typedef struct {
  const int32_t *channels; /* see strip.dsp.h; blocks of four, the last one of the last four channels */
  int32_t input_rows;
  int32_t input_columns;
  int32_t input_channels;
  int32_t stride_rows;
  int32_t pad_top;
  int32_t pad_left;
  int32_t output_columns;
  int32_t column_pairs; /* two columns each, that a row of outputs looks at */
  int32_t clamps;       /* 1: the activation range is less than int8 */
  int32_t activation_min;
  int32_t activation_max;
  int8_t input_zero_point;
} ek_depthwise_3x3_layer;

typedef void ek_strip(const uint32_t *strip, const int32_t *channels, int8_t *output, int32_t step,
                      int32_t outputs);

/* The three rows that one row of outputs looks at: NULL in the padding. */
typedef struct {
  const int8_t *row[3];
} ek_three_rows;

/* One column of four channels in the three rows; the zero point where there is padding. */
static inline void ek_load_column(const ek_depthwise_3x3_layer *layer, const ek_three_rows *rows, int32_t x,
                                  int32_t channel, uint32_t column[3]) {
  const uint32_t padding = (uint8_t)layer->input_zero_point * 0x01010101u;
  const int inside = x >= 0 && x < layer->input_columns;
  for (int i = 0; i < 3; ++i) {
    column[i] = inside && rows->row[i] != NULL
                    ? ek_load_word(rows->row[i] + x * layer->input_channels + channel)
                    : padding;
  }
}

/* Packs four channels of the three rows into the strip: (column_pairs, 4 channels, 3) words. */
static inline void ek_pack_strip(const ek_depthwise_3x3_layer *layer, const ek_three_rows *rows,
                                 int32_t channel, uint32_t *strip) {
  const int32_t step = layer->input_channels;
  const int whole = rows->row[0] != NULL && rows->row[1] != NULL && rows->row[2] != NULL;
  int32_t x = -layer->pad_left;
  const int32_t end = x + 2 * layer->column_pairs;
  for (; x < end; x += 2) {
    uint32_t a[3];
    uint32_t b[3];
    if (whole && x >= 0) {
      /* Within the image no column is asked whether it is. */
      const int8_t *row_0 = rows->row[0] + x * step + channel;
      const int8_t *row_1 = rows->row[1] + x * step + channel;
      const int8_t *row_2 = rows->row[2] + x * step + channel;
      for (; x + 1 < layer->input_columns && x < end; x += 2) {
        a[0] = ek_load_word(row_0);
        a[1] = ek_load_word(row_1);
        a[2] = ek_load_word(row_2);
        b[0] = ek_load_word(row_0 + step);
        b[1] = ek_load_word(row_1 + step);
        b[2] = ek_load_word(row_2 + step);
        strip = ek_pack_columns(strip, a, b);
        row_0 += 2 * step;
        row_1 += 2 * step;
        row_2 += 2 * step;
      }
      if (x >= end) {
        return;
      }
    }
    ek_load_column(layer, rows, x, channel, a);
    ek_load_column(layer, rows, x + 1, channel, b);
    strip = ek_pack_columns(strip, a, b);
  }
}

/* input: (input_rows, input_columns, channels); output: (rows, output_columns, channels); scratch: the strip.
 * The last four channels may overlap those before: they are computed twice. */
static inline void ek_depthwise_3x3(const ek_depthwise_3x3_layer *layer, ek_strip *compute, ek_rows input,
                                    ek_rows output, int8_t *scratch, int32_t row_begin, int32_t row_end) {
  const int32_t channels = layer->input_channels;
  uint32_t *strip = (uint32_t *)(void *)scratch;
  for (int32_t y = row_begin; y < row_end; ++y) {
    ek_three_rows rows;
    for (int32_t i = 0; i < 3; ++i) {
      const int32_t input_y = y * layer->stride_rows - layer->pad_top + i;
      rows.row[i] = input_y >= 0 && input_y < layer->input_rows ? ek_row(input, input_y) : NULL;
    }
    const int32_t *words = layer->channels;
    int8_t *row = ek_row(output, y);
    for (int32_t channel = 0; channel < channels; channel += 4) {
      const int32_t first = channel + 4 <= channels ? channel : channels - 4;
      ek_pack_strip(layer, &rows, first, strip);
      compute(strip, words, row + first, channels, layer->output_columns);
      words += 4 * EK_STRIP_CHANNEL_WORDS;
    }
    if (layer->clamps) {
      ek_clamp_bytes(row, layer->output_columns * channels, layer->activation_min, layer->activation_max);
    }
  }
}

#endif
