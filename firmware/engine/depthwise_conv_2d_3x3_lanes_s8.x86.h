/* DEPTHWISE_CONV_2D with a 3x3 window on x86, eight channels at a time along a row: a column of the window is
 * two vectors of pairs, its two upper rows side by side, and the lowest beside zeros. int8 activations and
 * weights, int32 bias; in plain C for other machines. Twin: edgekit/engine/cores/x86/depthwise_conv_2d.py. */
#ifndef EK_DEPTHWISE_CONV_2D_3X3_LANES_S8_X86_H
#define EK_DEPTHWISE_CONV_2D_3X3_LANES_S8_X86_H

#include "rows.h"
#include "scale.x86.h"

typedef struct {
  const int16_t
      *weights; /* (groups, 3 columns, 32): (channel, row 0 and 1) of eight, (channel, row 2 and 0) */
  const int32_t *scales; /* (groups, EK_SCALE_WORDS_X86) */
  int32_t input_rows;
  int32_t input_columns;
  int32_t channels; /* the last group is of the last eight, though some may be in the one before it */
  int32_t output_columns;
  int32_t stride_rows;
  int32_t stride_columns;
  int32_t pad_top;
  int32_t pad_left;
  int32_t input_zero_point;
  int32_t activation_min;
  int32_t activation_max;
} ek_depthwise_conv_2d_3x3_lanes_s8_x86_layer;

/* A row of the input as eight channels see it; one that lies outside is a pixel that stands still. */
typedef struct {
  const int8_t *data;
  int32_t step;
} ek_row_x86;

#if defined(__SSE2__)

/* One column of the window: (low, high) four channels of (row 0, row 1), then of (row 2, 0). */
typedef struct {
  __m128i pairs[4];
} ek_column_x86;

static inline __m128i ek_eight_wide_x86(const int8_t *from) {
  const __m128i bytes = _mm_loadl_epi64((const __m128i *)(const void *)from);
  return _mm_srai_epi16(_mm_unpacklo_epi8(bytes, bytes), 8);
}

static inline ek_column_x86 ek_load_column_x86(const ek_row_x86 *rows, const int8_t *outside, int32_t x,
                                               int32_t columns) {
  const int is_inside = x >= 0 && x < columns;
  const __m128i top = ek_eight_wide_x86(is_inside ? rows[0].data + x * rows[0].step : outside);
  const __m128i middle = ek_eight_wide_x86(is_inside ? rows[1].data + x * rows[1].step : outside);
  const __m128i bottom = ek_eight_wide_x86(is_inside ? rows[2].data + x * rows[2].step : outside);
  const __m128i none = _mm_setzero_si128();
  const ek_column_x86 column = {{
      _mm_unpacklo_epi16(top, middle),
      _mm_unpackhi_epi16(top, middle),
      _mm_unpacklo_epi16(bottom, none),
      _mm_unpackhi_epi16(bottom, none),
  }};
  return column;
}

/* Adds the products of one column to the sums of four channels; half: 0 or 1, the first or the last four. */
static inline __m128i ek_add_column_x86(__m128i sums, const ek_column_x86 *column, const int16_t *weights,
                                        int32_t half) {
  const __m128i *w = (const __m128i *)(const void *)weights;
  sums = _mm_add_epi32(sums, _mm_madd_epi16(column->pairs[half], _mm_loadu_si128(w + half)));
  return _mm_add_epi32(sums, _mm_madd_epi16(column->pairs[2 + half], _mm_loadu_si128(w + 2 + half)));
}

/* A row of outputs of eight channels. */
static inline void ek_depthwise_lanes_x86(const ek_depthwise_conv_2d_3x3_lanes_s8_x86_layer *layer,
                                          const ek_row_x86 *rows, const int8_t *outside,
                                          const int16_t *weights, const int32_t *scales, int8_t *pixel) {
  const int32_t columns = layer->input_columns;
  int32_t x = -layer->pad_left;
  ek_column_x86 left = ek_load_column_x86(rows, outside, x, columns);
  ek_column_x86 middle = ek_load_column_x86(rows, outside, x + 1, columns);
  for (int32_t i = 0; i < layer->output_columns; ++i, pixel += layer->channels) {
    const ek_column_x86 right = ek_load_column_x86(rows, outside, x + 2, columns);
    __m128i low = _mm_loadu_si128((const __m128i *)(const void *)scales);
    __m128i high = _mm_loadu_si128((const __m128i *)(const void *)(scales + 4));
    low = ek_add_column_x86(low, &left, weights, 0);
    high = ek_add_column_x86(high, &left, weights, 1);
    low = ek_add_column_x86(low, &middle, weights + 32, 0);
    high = ek_add_column_x86(high, &middle, weights + 32, 1);
    low = ek_add_column_x86(low, &right, weights + 64, 0);
    high = ek_add_column_x86(high, &right, weights + 64, 1);
    ek_store_scaled_x86(scales, low, high, layer->activation_min, layer->activation_max, pixel, 8);
    x += layer->stride_columns;
    if (layer->stride_columns == 1) {
      left = middle;
      middle = right;
    } else {
      left = layer->stride_columns == 2 ? right : ek_load_column_x86(rows, outside, x, columns);
      middle = ek_load_column_x86(rows, outside, x + 1, columns);
    }
  }
}

#else

static inline void ek_depthwise_lanes_x86(const ek_depthwise_conv_2d_3x3_lanes_s8_x86_layer *layer,
                                          const ek_row_x86 *rows, const int8_t *outside,
                                          const int16_t *weights, const int32_t *scales, int8_t *pixel) {
  int32_t sums[8];
  for (int32_t i = 0; i < layer->output_columns; ++i, pixel += layer->channels) {
    for (int32_t channel = 0; channel < 8; ++channel) {
      sums[channel] = scales[channel];
      for (int32_t tap = 0; tap < 9; ++tap) {
        const int32_t row = tap % 3;
        const int32_t x = i * layer->stride_columns - layer->pad_left + tap / 3;
        const int8_t *from =
            x >= 0 && x < layer->input_columns ? rows[row].data + x * rows[row].step : outside;
        sums[channel] += from[channel] * weights[tap / 3 * 32 + row / 2 * 16 + 2 * channel + row % 2];
      }
    }
    ek_scale_eight_x86(scales, sums, layer->activation_min, layer->activation_max, pixel, 8);
  }
}

#endif

/* input: (input_rows, input_columns, channels); output: (rows, output_columns, channels); at least eight
 * channels. */
static inline void
ek_depthwise_conv_2d_3x3_lanes_s8_x86(const ek_depthwise_conv_2d_3x3_lanes_s8_x86_layer *layer, ek_rows input,
                                      ek_rows output, int32_t row_begin, int32_t row_end) {
  int8_t outside[8];
  memset(outside, layer->input_zero_point, sizeof outside);
  for (int32_t y = row_begin; y < row_end; ++y) {
    const int32_t top = y * layer->stride_rows - layer->pad_top;
    const int16_t *weights = layer->weights;
    const int32_t *scales = layer->scales;
    for (int32_t begin = 0; begin < layer->channels; begin += 8) {
      const int32_t channel = begin + 8 <= layer->channels ? begin : layer->channels - 8;
      ek_row_x86 rows[3];
      for (int32_t i = 0; i < 3; ++i) {
        const int is_inside = top + i >= 0 && top + i < layer->input_rows;
        rows[i].data = is_inside ? ek_row(input, top + i) + channel : outside;
        rows[i].step = is_inside ? layer->channels : 0;
      }
      ek_depthwise_lanes_x86(layer, rows, outside, weights, scales, ek_row(output, y) + channel);
      weights += 96;
      scales += EK_SCALE_WORDS_X86;
    }
  }
}

#endif
