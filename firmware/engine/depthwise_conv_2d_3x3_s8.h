/* DEPTHWISE_CONV_2D with a 3x3 window, a row of one channel at a time: its 9 weights stay in registers, and
 * each activation is loaded once for a row of outputs. int8 activations and weights, int32 bias.
 * Twin: edgekit/engine/ops/depthwise_conv_2d.py. */
#ifndef EK_DEPTHWISE_CONV_2D_3X3_S8_H
#define EK_DEPTHWISE_CONV_2D_3X3_S8_H

#include "in_order.h"
#include "limit.h"
#include "requantize.h"
#include "rows.h"

typedef struct {
  const int8_t *weights;     /* (channels, 3, 3) */
  const int32_t *bias;       /* (channels), the input zero point folded in */
  const int32_t *multiplier; /* (channels) */
  const int8_t *shift;       /* (channels), within what ek_scale allows */
  int32_t input_rows;
  int32_t channels;
  int32_t output_columns;
  int32_t stride_rows;
  int32_t stride_columns; /* 1 or 2 */
  int32_t pad_top;        /* 0 or 1, as the others */
  int32_t pad_left;
  int32_t pad_right;
  int32_t input_zero_point;
  int32_t output_zero_point;
  int32_t activation_min;
  int32_t activation_max;
} ek_depthwise_conv_2d_3x3_s8_layer;

/* The three input rows that an output row looks at. One that lies outside is named by a row that does not. */
typedef struct {
  const int8_t *row[3]; /* (input_columns, channels) */
  int is_outside[3];    /* the middle one never is */
} ek_rows_of_3;

static inline ek_rows_of_3 ek_find_rows_of_3(const ek_depthwise_conv_2d_3x3_s8_layer *layer, ek_rows input,
                                             int32_t y) {
  const int32_t top = y * layer->stride_rows - layer->pad_top;
  ek_rows_of_3 found;
  for (int32_t i = 0; i < 3; ++i) {
    found.is_outside[i] = top + i < 0 || top + i >= layer->input_rows;
    found.row[i] = ek_row(input, found.is_outside[i] ? top + 1 : top + i);
  }
  return found;
}

#define EK_STORE_3X3(sum)                                                                                    \
  *pixel = (int8_t)ek_limit(ek_scaled(scale, sum), low, high);                                               \
  pixel += channels;

/* The next activation of one of the rows. */
#define EK_LOAD_3X3(r)                                                                                       \
  const int32_t x_##r = *row_##r;                                                                            \
  row_##r += channels;

/* One row of outputs. pixel: (output_columns, channels). */
EK_IN_ORDER void ek_depthwise_row_3x3(const ek_depthwise_conv_2d_3x3_s8_layer *layer,
                                      const ek_rows_of_3 *rows, int8_t *pixels) {
  const int32_t channels = layer->channels;
  const int32_t low = layer->activation_min;
  const int32_t high = layer->activation_max;
  const int32_t outside = layer->input_zero_point;
  const int8_t *weights = layer->weights;
  for (int32_t channel = 0; channel < channels; ++channel, weights += 9) {
    const ek_scale scale =
        ek_scale_of(layer->multiplier[channel], layer->shift[channel], layer->output_zero_point);
    const int8_t *row_0 = rows->row[0] + channel;
    const int8_t *row_1 = rows->row[1] + channel;
    const int8_t *row_2 = rows->row[2] + channel;
    int8_t *pixel = pixels + channel;
    const int8_t *end = pixel + (layer->output_columns - layer->pad_right) * channels;
    int32_t bias = layer->bias[channel];
    int32_t w_00 = weights[0];
    int32_t w_01 = weights[1];
    int32_t w_02 = weights[2];
    const int32_t w_10 = weights[3];
    const int32_t w_11 = weights[4];
    const int32_t w_12 = weights[5];
    int32_t w_20 = weights[6];
    int32_t w_21 = weights[7];
    int32_t w_22 = weights[8];
    if (rows->is_outside[0]) {
      bias += outside * (w_00 + w_01 + w_02);
      w_00 = w_01 = w_02 = 0;
    }
    if (rows->is_outside[2]) {
      bias += outside * (w_20 + w_21 + w_22);
      w_20 = w_21 = w_22 = 0;
    }
    int32_t sum = bias; /* of the output under way: the columns of its window that came so far */
    if (layer->pad_left) {
      sum += outside * (w_00 + w_10 + w_20);
    } else {
      EK_LOAD_3X3(0)
      EK_LOAD_3X3(1)
      EK_LOAD_3X3(2)
      sum += x_0 * w_00 + x_1 * w_10 + x_2 * w_20;
    }
    if (layer->stride_columns == 2) {
      while (pixel != end) {
        {
          EK_LOAD_3X3(0)
          sum += x_0 * w_01;
          EK_LOAD_3X3(1)
          sum += x_1 * w_11;
          EK_LOAD_3X3(2)
          sum += x_2 * w_21;
        }
        EK_LOAD_3X3(0)
        int32_t done = sum + x_0 * w_02;
        sum = bias + x_0 * w_00;
        EK_LOAD_3X3(1)
        done += x_1 * w_12;
        sum += x_1 * w_10;
        EK_LOAD_3X3(2)
        done += x_2 * w_22;
        sum += x_2 * w_20;
        EK_STORE_3X3(done)
      }
      if (layer->pad_right) {
        sum += *row_0 * w_01 + *row_1 * w_11 + *row_2 * w_21;
      }
    } else {
      int32_t next = bias;
      {
        EK_LOAD_3X3(0)
        EK_LOAD_3X3(1)
        EK_LOAD_3X3(2)
        sum += x_0 * w_01 + x_1 * w_11 + x_2 * w_21;
        next += x_0 * w_00 + x_1 * w_10 + x_2 * w_20;
      }
      while (pixel != end) {
        EK_LOAD_3X3(0)
        int32_t done = sum + x_0 * w_02;
        sum = next + x_0 * w_01;
        next = bias + x_0 * w_00;
        EK_LOAD_3X3(1)
        done += x_1 * w_12;
        sum += x_1 * w_11;
        next += x_1 * w_10;
        EK_LOAD_3X3(2)
        done += x_2 * w_22;
        sum += x_2 * w_21;
        next += x_2 * w_20;
        EK_STORE_3X3(done)
      }
    }
    if (layer->pad_right) {
      EK_STORE_3X3(sum + outside * (w_02 + w_12 + w_22))
    }
  }
}

/* input: (input_rows, input_columns, channels); output: (rows, output_columns, channels). */
static inline void ek_depthwise_conv_2d_3x3_s8(const ek_depthwise_conv_2d_3x3_s8_layer *layer, ek_rows input,
                                               ek_rows output, int32_t row_begin, int32_t row_end) {
  for (int32_t y = row_begin; y < row_end; ++y) {
    const ek_rows_of_3 rows = ek_find_rows_of_3(layer, input, y);
    ek_depthwise_row_3x3(layer, &rows, ek_row(output, y));
  }
}

#endif
