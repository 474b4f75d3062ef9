/* CONV_2D 1x1 of at most 16 input channels, int8: four channels' weights stay in registers for a row of
 * pixels. Twin: edgekit/engine/cores/mve/conv_2d.py. */
#ifndef EK_CONV_2D_THIN_S8_MVE_H
#define EK_CONV_2D_THIN_S8_MVE_H

#include "group.mve.h"
#include "requantize.h"
#include "rows.h"

typedef struct {
  const int8_t *weights;     /* (output_channels, depth) */
  const int32_t *bias;       /* (output_channels), the input zero point folded in */
  const int32_t *multiplier; /* (output_channels) */
  const int8_t *shift;       /* (output_channels), <= 0 */
  int32_t depth;             /* <= 16 */
  int32_t output_channels;   /* >= 4 */
  int32_t stride_rows;
  int32_t stride_columns;
  int32_t output_columns;
  int32_t clamps_at_int8; /* 1: the clamp is int8's and hides how negative values are rounded */
  int32_t output_zero_point;
  int32_t activation_min;
  int32_t activation_max;
} ek_conv_2d_thin_s8_mve_layer;

/* Groups of four channels of one output row; weights to output move on from group to group. */
typedef struct {
  const int8_t *input;
  const int8_t *weights;
  const int32_t *bias;
  const int32_t *multiplier;
  const int8_t *shift;
  int8_t *output;
  int32_t groups;
  int32_t depth;
  int32_t output_step;
  int32_t columns;
  int32_t output_zero_point;
  int32_t input_step;
  int32_t activation_min[4];
  int32_t activation_max[4];
} ek_thin_row_mve;

#if defined(__ARM_FEATURE_MVE)

/* As in group.mve.h; r12: input, r10: its step; q0 to q3: weights. The lanes behind the depth stay out. */
#define EK_THIN_ROW_MVE                                                                                      \
  "push {r4-r11, lr}\n"                                                                                      \
  "vpush {d8-d15}\n"                                                                                         \
  "mov r11, r0\n"                                                                                            \
  "ldr r0, [r11, #28]\n"                                                                                     \
  "vctp.8 r0\n"                                                                                              \
  "1:\n"                                                                                                     \
  "ldmia r11, {r0-r5}\n"                                                                                     \
  "ldr r6, [r11, #28]\n"                                                                                     \
  "add r7, r1, r6\n"                                                                                         \
  "add r9, r7, r6\n"                                                                                         \
  "add r10, r9, r6\n"                                                                                        \
  "vpstttt\n"                                                                                                \
  "vldrbt.8 q0, [r1]\n"                                                                                      \
  "vldrbt.8 q1, [r7]\n"                                                                                      \
  "vldrbt.8 q2, [r9]\n"                                                                                      \
  "vldrbt.8 q3, [r10]\n"                                                                                     \
  "add r1, r10, r6\n"                                                                                        \
  "vldrw.32 q5, [r2], #16\n"                                                                                 \
  "vldrw.32 q6, [r3], #16\n"                                                                                 \
  "vldrb.s32 q7, [r4], #4\n"                                                                                 \
  "mov r7, r5\n"                                                                                             \
  "adds r5, #4\n"                                                                                            \
  "mov r12, r0\n"                                                                                            \
  "stmia r11, {r0-r5}\n"                                                                                     \
  "ldrd r8, r3, [r11, #32]\n"                                                                                \
  "ldrd r5, r10, [r11, #40]\n"                                                                               \
  "dls lr, r3\n"                                                                                             \
  "sub r1, r2, #16\n"                                                                                        \
  "2:\n"                                                                                                     \
  "vpst\n"                                                                                                   \
  "vldrbt.8 q4, [r12]\n"                                                                                     \
  "add r12, r10\n"                                                                                           \
  "vmladav.s8 r0, q0, q4\n"                                                                                  \
  "vmladav.s8 r2, q1, q4\n"                                                                                  \
  "vmladav.s8 r4, q2, q4\n"                                                                                  \
  "vmladav.s8 r6, q3, q4\n"

/* All groups, clamped to int8 or as the layer says. Changes the row. */
__attribute__((naked, noinline, unused)) static void ek_thin_at_int8_mve(ek_thin_row_mve *row
                                                                         __attribute__((unused))) {
  __asm__ volatile(EK_THIN_ROW_MVE EK_GROUP_AT_INT8_MVE EK_NEXT_GROUP_MVE);
}

__attribute__((naked, noinline, unused)) static void ek_thin_clamped_mve(ek_thin_row_mve *row
                                                                         __attribute__((unused))) {
  __asm__ volatile(EK_THIN_ROW_MVE EK_GROUP_CLAMPED_MVE("48", "64") EK_NEXT_GROUP_MVE);
}

static inline void ek_thin_run_mve(const ek_conv_2d_thin_s8_mve_layer *layer, ek_thin_row_mve *row) {
  (layer->clamps_at_int8 ? ek_thin_at_int8_mve : ek_thin_clamped_mve)(row);
}

#else

/* The same in plain C. */
static inline void ek_thin_run_mve(const ek_conv_2d_thin_s8_mve_layer *layer, ek_thin_row_mve *row) {
  for (int32_t x = 0; x < row->columns; ++x) {
    const int8_t *pixel = row->input + x * row->input_step;
    for (int32_t channel = 0; channel < 4 * row->groups; ++channel) {
      int32_t sum = row->bias[channel];
      for (int32_t i = 0; i < row->depth; ++i) {
        sum += pixel[i] * row->weights[channel * row->depth + i];
      }
      const int32_t scaled = ek_requantize(sum, row->multiplier[channel], row->shift[channel]);
      row->output[x * row->output_step + channel] =
          ek_clamp(scaled + row->output_zero_point, layer->activation_min, layer->activation_max);
    }
  }
}

#endif

/* input: (input_rows, input_columns, depth); output: (rows, output_columns, output_channels). */
static inline void ek_conv_2d_thin_s8_mve(const ek_conv_2d_thin_s8_mve_layer *layer, ek_rows input,
                                          ek_rows output, int32_t row_begin, int32_t row_end) {
  const int32_t channels = layer->output_channels;
  ek_thin_row_mve row;
  row.depth = layer->depth;
  row.output_step = channels;
  row.columns = layer->output_columns;
  row.output_zero_point = layer->output_zero_point;
  row.input_step = layer->stride_columns * layer->depth;
  for (int32_t lane = 0; lane < 4; ++lane) {
    row.activation_min[lane] = layer->activation_min;
    row.activation_max[lane] = layer->activation_max;
  }
  for (int32_t y = row_begin; y < row_end; ++y) {
    row.input = ek_row(input, y * layer->stride_rows);
    /* The last group shares channels with the one before it where they do not come in fours. */
    int32_t channel = 0;
    for (int32_t groups = channels / 4; channel < channels; groups = 1) {
      channel = channels - channel < 4 ? channels - 4 : channel;
      row.weights = layer->weights + channel * layer->depth;
      row.bias = layer->bias + channel;
      row.multiplier = layer->multiplier + channel;
      row.shift = layer->shift + channel;
      row.output = ek_row(output, y) + channel;
      row.groups = groups;
      ek_thin_run_mve(layer, &row);
      channel += 4 * groups;
    }
  }
}

#endif
