/* DEPTHWISE_CONV_2D 3x3, int8, one output an instruction: each channel has a strip of scratch memory in which
 * a column's rows lie side by side, so that a window is 12 bytes in a row. Twin:
 * edgekit/engine/cores/mve/depthwise_conv_2d.py. */
#ifndef EK_DEPTHWISE_CONV_2D_3X3_STRIPS_S8_MVE_H
#define EK_DEPTHWISE_CONV_2D_3X3_STRIPS_S8_MVE_H

#include "group.mve.h"
#include "patch.mve.h"
#include "requantize.h"

typedef struct {
  ek_window_s8 window;
  const int8_t *weights;     /* (channels, 3, 3) */
  const int32_t *bias;       /* (channels), the input zero point folded in */
  const int32_t *multiplier; /* (channels) */
  const int8_t *shift;       /* (channels), <= 0 */
  int32_t channels;          /* >= 4 */
  int32_t output_columns;
  int32_t columns_read;   /* of the input */
  int32_t strip_columns;  /* padding included */
  int32_t clamps_at_int8; /* 1: the clamp is int8's and hides how negative values are rounded */
  int32_t output_zero_point;
  int32_t activation_min;
  int32_t activation_max;
} ek_depthwise_conv_2d_3x3_strips_s8_mve_layer;

/* Groups of four channels of one output row; the first six fields move on from group to group. */
typedef struct {
  const int8_t *strip; /* of the first channel: (columns, 4 rows) */
  const int8_t *weights;
  const int32_t *bias;
  const int32_t *multiplier;
  const int8_t *shift;
  int8_t *output;
  int32_t groups;
  int32_t strip_bytes;
  int32_t output_step;
  int32_t columns;
  int32_t output_zero_point;
  const uint8_t *places; /* which of the nine weights belongs to each of the 16 bytes read */
  uint32_t mask;         /* bit i: byte i has a weight */
  int32_t activation_min[4];
  int32_t activation_max[4];
} ek_strips_mve;

#if defined(__ARM_FEATURE_MVE)

/* r0, r2, r4, r6: sums; r12, r10, r9, r3: strips; r7: output, r8: its step; r5: zero point; r11: the groups.
 * q0 to q3: weights, q5: bias, q6: multiplier, q7: shift. */
#define EK_STRIPS_ENTER_MVE                                                                                  \
  "push {r4-r11, lr}\n"                                                                                      \
  "vpush {d8-d15}\n"                                                                                         \
  "mov r11, r0\n"                                                                                            \
  "1:\n"                                                                                                     \
  "ldmia r11, {r0-r5}\n"                                                                                     \
  "ldrd r6, r7, [r11, #44]\n"                                                                                \
  "vldrb.8 q4, [r6]\n"                                                                                       \
  "vmsr p0, r7\n"                                                                                            \
  "add r6, r1, #9\n"                                                                                         \
  "add r7, r1, #18\n"                                                                                        \
  "add r9, r1, #27\n"                                                                                        \
  "vpstttt\n"                                                                                                \
  "vldrbt.u8 q0, [r1, q4]\n"                                                                                 \
  "vldrbt.u8 q1, [r6, q4]\n"                                                                                 \
  "vldrbt.u8 q2, [r7, q4]\n"                                                                                 \
  "vldrbt.u8 q3, [r9, q4]\n"                                                                                 \
  "adds r1, #36\n"                                                                                           \
  "vldrw.32 q5, [r2], #16\n"                                                                                 \
  "vldrw.32 q6, [r3], #16\n"                                                                                 \
  "vldrb.s32 q7, [r4], #4\n"                                                                                 \
  "ldrd r6, r8, [r11, #28]\n"                                                                                \
  "mov r12, r0\n"                                                                                            \
  "add r10, r12, r6\n"                                                                                       \
  "add r9, r10, r6\n"                                                                                        \
  "add r0, r9, r6, lsl #1\n"                                                                                 \
  "mov r7, r5\n"                                                                                             \
  "adds r5, #4\n"                                                                                            \
  "stmia r11, {r0-r5}\n"                                                                                     \
  "subs r3, r0, r6\n"                                                                                        \
  "ldrd r1, r5, [r11, #36]\n"                                                                                \
  "dls lr, r1\n"                                                                                             \
  "sub r1, r2, #16\n"                                                                                        \
  "2:\n"
#define EK_STRIPS_SUMS_MVE(step)                                                                             \
  "vldrb.8 q4, [r12], #" step "\n"                                                                           \
  "vmladav.s8 r0, q0, q4\n"                                                                                  \
  "vldrb.8 q4, [r10], #" step "\n"                                                                           \
  "vmladav.s8 r2, q1, q4\n"                                                                                  \
  "vldrb.8 q4, [r9], #" step "\n"                                                                            \
  "vmladav.s8 r4, q2, q4\n"                                                                                  \
  "vldrb.8 q4, [r3], #" step "\n"                                                                            \
  "vmladav.s8 r6, q3, q4\n"

/* All groups, for windows one column or two apart, clamped to int8 or as the layer says. Changes the
 * strips. */
#define EK_STRIPS_KERNEL_MVE(name, step, scale)                                                              \
  __attribute__((naked, noinline, unused)) static void name(ek_strips_mve *strips __attribute__((unused))) { \
    __asm__ volatile(EK_STRIPS_ENTER_MVE EK_STRIPS_SUMS_MVE(step) scale EK_NEXT_GROUP_MVE);                  \
  }

EK_STRIPS_KERNEL_MVE(ek_strips_1_int8_mve, "4", EK_GROUP_AT_INT8_MVE)

EK_STRIPS_KERNEL_MVE(ek_strips_2_int8_mve, "8", EK_GROUP_AT_INT8_MVE)

EK_STRIPS_KERNEL_MVE(ek_strips_1_mve, "4", EK_GROUP_CLAMPED_MVE("52", "68"))

EK_STRIPS_KERNEL_MVE(ek_strips_2_mve, "8", EK_GROUP_CLAMPED_MVE("52", "68"))

static inline void ek_strips_run_mve(const ek_depthwise_conv_2d_3x3_strips_s8_mve_layer *layer,
                                     ek_strips_mve *strips) {
  const int is_first = layer->window.stride_columns == 1;
  if (layer->clamps_at_int8) {
    (is_first ? ek_strips_1_int8_mve : ek_strips_2_int8_mve)(strips);
  } else {
    (is_first ? ek_strips_1_mve : ek_strips_2_mve)(strips);
  }
}

/* Puts one row of at most eight channels into their strips: bytes `step` apart go to words. */
static inline void ek_scatter_mve(const int8_t *from, int32_t step, int8_t *strip, int32_t strip_bytes,
                                  int32_t columns, int32_t channels) {
  uint32_t zero = 0;
  __asm__ volatile(
      "vidup.u16 q1, %[zero], #1\n"
      "vmul.i16 q1, q1, %[strip_bytes]\n"
      "vctp.16 %[channels]\n"
      "dls lr, %[columns]\n"
      "1:\n"
      "vpstt\n"
      "vldrbt.u16 q0, [%[from]]\n"
      "vstrbt.16 q0, [%[strip], q1]\n"
      "add %[from], %[step]\n"
      "adds %[strip], #4\n"
      "le lr, 1b\n"
      : [from] "+l"(from), [strip] "+l"(strip), [zero] "+Te"(zero)
      : [step] "r"(step), [strip_bytes] "r"(strip_bytes), [columns] "r"(columns), [channels] "r"(channels)
      : "q0", "q1", "lr", "cc", "memory");
}

#else

/* The same in plain C. */
static inline void ek_strips_run_mve(const ek_depthwise_conv_2d_3x3_strips_s8_mve_layer *layer,
                                     ek_strips_mve *strips) {
  const int32_t channels = strips->groups * 4;
  for (int32_t channel = 0; channel < channels; ++channel) {
    const int8_t *window = strips->strip + channel * strips->strip_bytes;
    int8_t *output = strips->output + channel;
    for (int32_t x = 0; x < strips->columns; ++x) {
      int32_t sum = strips->bias[channel];
      for (int32_t i = 0; i < 16; ++i) {
        if ((strips->mask >> i & 1u) != 0) {
          sum += window[i] * strips->weights[channel * 9 + strips->places[i]];
        }
      }
      const int32_t scaled = ek_requantize(sum, strips->multiplier[channel], strips->shift[channel]);
      *output = ek_clamp(scaled + strips->output_zero_point, layer->activation_min, layer->activation_max);
      output += strips->output_step;
      window += 4 * layer->window.stride_columns;
    }
  }
}

static inline void ek_scatter_mve(const int8_t *from, int32_t step, int8_t *strip, int32_t strip_bytes,
                                  int32_t columns, int32_t channels) {
  for (int32_t x = 0; x < columns; ++x, from += step, strip += 4) {
    for (int32_t channel = 0; channel < channels; ++channel) {
      strip[channel * strip_bytes] = from[channel];
    }
  }
}

#endif

/* Puts input row y into the strips, as row y % 4 of each column; outside of the input it is the zero point.
 */
static inline void ek_strips_load_mve(const ek_depthwise_conv_2d_3x3_strips_s8_mve_layer *layer,
                                      ek_rows input, int32_t y, int8_t *scratch) {
  const int32_t channels = layer->channels;
  const int32_t strip_bytes = 4 * layer->strip_columns;
  const int is_inside = y >= 0 && y < layer->window.input_rows;
  const int8_t *outside = scratch + channels * strip_bytes; /* zero points behind the strips */
  const int8_t *row = is_inside ? ek_row(input, y) : outside;
  int8_t *strips = scratch + 4 * layer->window.pad_left + (y & 3);
  for (int32_t channel = 0; channel < channels; channel += 8) {
    const int32_t left = channels - channel;
    ek_scatter_mve(is_inside ? row + channel : row, is_inside ? channels : 0, strips + channel * strip_bytes,
                   strip_bytes, layer->columns_read, left < 8 ? left : 8);
  }
}

/* input: (input_rows, input_columns, channels); output: (rows, output_columns, channels);
 * scratch: (channels, strip_columns, 4) bytes and 16 more. */
static inline void
ek_depthwise_conv_2d_3x3_strips_s8_mve(const ek_depthwise_conv_2d_3x3_strips_s8_mve_layer *layer,
                                       ek_rows input, ek_rows output, int8_t *scratch, int32_t row_begin,
                                       int32_t row_end) {
  /* Row 0 of the window lies at row 0, 1, 2 or 3 of the strip. */
  static const uint8_t places[4][16] = {
      {0, 3, 6, 0, 1, 4, 7, 0, 2, 5, 8, 0, 0, 0, 0, 0},
      {0, 0, 3, 6, 0, 1, 4, 7, 0, 2, 5, 8, 0, 0, 0, 0},
      {6, 0, 0, 3, 7, 0, 1, 4, 8, 0, 2, 5, 0, 0, 0, 0},
      {3, 6, 0, 0, 4, 7, 0, 1, 5, 8, 0, 2, 0, 0, 0, 0},
  };
  static const uint16_t masks[4] = {0x777, 0xEEE, 0xDDD, 0xBBB};
  const int32_t channels = layer->channels;
  const int32_t strip_bytes = 4 * layer->strip_columns;
  ek_strips_mve strips;
  strips.strip_bytes = strip_bytes;
  strips.output_step = channels;
  strips.columns = layer->output_columns;
  strips.output_zero_point = layer->output_zero_point;
  for (int32_t lane = 0; lane < 4; ++lane) {
    strips.activation_min[lane] = layer->activation_min;
    strips.activation_max[lane] = layer->activation_max;
  }
  ek_fill_mve(scratch, layer->window.input_zero_point, channels * strip_bytes + 16);
  int32_t loaded = row_begin * layer->window.stride_rows - layer->window.pad_top;
  for (int32_t y = row_begin; y < row_end; ++y) {
    const int32_t top = y * layer->window.stride_rows - layer->window.pad_top;
    loaded = loaded < top ? top : loaded;
    for (; loaded < top + 3; ++loaded) {
      ek_strips_load_mve(layer, input, loaded, scratch);
    }
    strips.places = places[top & 3];
    strips.mask = masks[top & 3];
    /* The last group shares channels with the one before it where they do not come in fours. */
    int32_t channel = 0;
    for (int32_t groups = channels / 4; channel < channels; groups = 1) {
      channel = channels - channel < 4 ? channels - 4 : channel;
      strips.strip = scratch + channel * strip_bytes;
      strips.weights = layer->weights + channel * 9;
      strips.bias = layer->bias + channel;
      strips.multiplier = layer->multiplier + channel;
      strips.shift = layer->shift + channel;
      strips.output = ek_row(output, y) + channel;
      strips.groups = groups;
      ek_strips_run_mve(layer, &strips);
      channel += 4 * groups;
    }
  }
}

#endif
