/* DEPTHWISE_CONV_2D 3x3 of int8 on Armv7E-M, columns at stride 1 or 2, a row of four channels at a time.
 * Twin: edgekit/engine/cores/dsp/depthwise_conv_2d.py. */
#ifndef EK_DEPTHWISE_CONV_2D_3X3_DSP_H
#define EK_DEPTHWISE_CONV_2D_3X3_DSP_H

#include "rows.h"
#include "strip.dsp.h"
#include "taps.dsp.h"

typedef struct {
  const int32_t
      *channels;    /* see strip.dsp.h, blocks of four, the last one of the last four channels; or NULL: */
  ek_packed packed; /* the weights, see taps.dsp.h */
  const int32_t *scales; /* (channels, 2): twice the bias, multiplier; or NULL */
  const int8_t *shifts;  /* (channels), or NULL */
  int32_t rounding;      /* of shift 1 */
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

/* The three rows that one row of outputs looks at. Rows in the padding stand for one that is not. */
typedef struct {
  ek_columns columns;  /* from the first column, of the first channel */
  uint32_t is_padding; /* a bit for each row */
} ek_three_rows;

static inline ek_three_rows ek_find_rows(const ek_depthwise_3x3_layer *layer, ek_rows input, int32_t y) {
  const int8_t *row[3] = {NULL, NULL, NULL};
  const int8_t *some = NULL;
  uint32_t is_padding = 0;
  for (int32_t i = 0; i < 3; ++i) {
    const int32_t input_y = y * layer->stride_rows - layer->pad_top + i;
    if (input_y < 0 || input_y >= layer->input_rows) {
      is_padding |= 1u << i;
    } else {
      row[i] = ek_row(input, input_y);
      some = row[i];
    }
  }
  for (int32_t i = 0; i < 3; ++i) {
    row[i] = row[i] == NULL ? some : row[i];
  }
  const ek_three_rows rows = {
      {row[0], (int32_t)(row[1] - row[0]), (int32_t)(row[2] - row[0]), layer->input_channels}, is_padding};
  return rows;
}

/* Packs two columns, of which one is padding: column `padded`. */
static inline uint32_t *ek_pack_border(const ek_columns *from, int32_t padded, uint32_t padding,
                                       uint32_t *strip) {
  const ek_columns twice = {from->first, from->second, from->third, 0};
  uint32_t *end = ek_pack_columns(strip, &twice, 1);
  for (; strip != end; strip += 3) {
    strip[padded] = padding;
    strip[2] = padded == 0 ? ek_low_halves(padding, strip[2]) : ek_low_halves(strip[2], padding);
  }
  return end;
}

/* Overwrites rows that are padding: bits of is_padding. */
static inline void ek_pad_rows(uint32_t is_padding, uint32_t padding, uint32_t *strip, uint32_t *end) {
  const uint32_t keep = (is_padding & 1u ? 0u : 0xFFFFu) | (is_padding & 2u ? 0u : 0xFFFF0000u);
  for (; strip != end; strip += 3) {
    strip[0] = (strip[0] & keep) | (padding & ~keep);
    strip[1] = (strip[1] & keep) | (padding & ~keep);
    strip[2] = is_padding & 4u ? padding : strip[2];
  }
}

/* Packs four channels of the three rows into the strip: (column_pairs, 4 channels, 3) words. Columns behind
 * the one behind the last are left as they are. */
static inline void ek_pack_strip(const ek_depthwise_3x3_layer *layer, const ek_three_rows *rows,
                                 int32_t channel, uint32_t padding, uint32_t *strip) {
  uint32_t *begin = strip;
  ek_columns columns = rows->columns;
  columns.first += channel;
  int32_t pairs = layer->column_pairs;
  int32_t left = layer->input_columns;
  if (layer->pad_left != 0) {
    strip = ek_pack_border(&columns, 0, padding, strip);
    columns.first += columns.step;
    left -= 1;
    pairs -= 1;
  }
  const int32_t whole = left >> 1 < pairs ? left >> 1 : pairs;
  if (whole > 0) {
    strip = ek_pack_columns(strip, &columns, whole);
    columns.first += 2 * whole * columns.step;
  }
  if (whole < pairs && (left & 1) != 0) {
    strip = ek_pack_border(&columns, 1, padding, strip);
  }
  if (rows->is_padding != 0) {
    ek_pad_rows(rows->is_padding, padding, begin, strip);
  }
}

/* input: (input_rows, input_columns, channels); output: (rows, output_columns, channels); scratch: the strip,
 * and the words of four channels where a layer stores none. The last four channels may overlap those before:
 * they are computed twice. */
static inline void ek_depthwise_3x3(const ek_depthwise_3x3_layer *layer, ek_taps *taps, ek_strip *compute,
                                    ek_rows input, ek_rows output, int8_t *scratch, int32_t row_begin,
                                    int32_t row_end) {
  const int32_t channels = layer->input_channels;
  const uint32_t padding = ((uint32_t)layer->input_zero_point & 0xFFFFu) * 0x10001u;
  uint32_t *strip = (uint32_t *)(void *)scratch;
  uint32_t *strip_end = strip + layer->column_pairs * EK_STRIP_COLUMNS_WORDS;
  /* No row reaches two columns of padding at the end of the strip. */
  for (uint32_t *word = strip_end - EK_STRIP_COLUMNS_WORDS; word != strip_end; ++word) {
    *word = padding;
  }
  for (int32_t y = row_begin; y < row_end; ++y) {
    const ek_three_rows rows = ek_find_rows(layer, input, y);
    const int32_t *words = layer->channels;
    ek_packed packed = layer->packed;
    int8_t *row = ek_row(output, y);
    for (int32_t channel = 0; channel < channels; channel += 4) {
      const int32_t first = channel + 4 <= channels ? channel : channels - 4;
      ek_pack_strip(layer, &rows, first, padding, strip);
      if (layer->channels == NULL) {
        packed = taps(packed, channel - first, strip_end);
        ek_frame_taps(layer->scales + 2 * first, layer->shifts + first, layer->rounding, strip_end);
        words = (const int32_t *)(const void *)strip_end;
      }
      compute(strip, words, row + first, channels, layer->output_columns);
      words += 4 * EK_STRIP_CHANNEL_WORDS;
    }
    if (layer->clamps) {
      ek_clamp_bytes(row, layer->output_columns * channels, layer->activation_min, layer->activation_max);
    }
  }
}

#endif
