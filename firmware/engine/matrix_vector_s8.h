/* One vector of activations times a weight matrix: the heart of convolution and of fully connected layers.
 *
 * Weights are stored in blocks of four output channels, interleaved: (output_channels / 4, depth, 4). One
 * activation is then loaded for four products, and the weights are read in order. The last
 * output_channels % 4 channels follow as plain rows of depth weights. */
#ifndef EK_MATRIX_VECTOR_S8_H
#define EK_MATRIX_VECTOR_S8_H

#include "in_order.h"
#include "requantize.h"

#include <stdint.h>

typedef struct {
  const int8_t *weights;
  const int32_t *bias;       /* (output_channels), the input zero point folded in */
  const int32_t *multiplier; /* (output_channels), or one for all */
  const int8_t *shift;       /* as multiplier */
  int32_t per_channel;       /* 1: one multiplier a channel; 0: one for all */
  int32_t scales_down;       /* 1: ek_scale serves all channels */
  int32_t depth;
  int32_t output_channels;
  int32_t output_zero_point;
  int32_t activation_min;
  int32_t activation_max;
} ek_matrix_s8;

/* How the accumulators of a channel become activations, in a matrix whose shifts and sums ek_scale allows. */
static inline ek_scale ek_matrix_scale(const ek_matrix_s8 *matrix, int32_t channel) {
  const int32_t index = matrix->per_channel ? channel : 0;
  return ek_scale_of(matrix->multiplier[index], matrix->shift[index], matrix->output_zero_point);
}

static inline int8_t ek_matrix_output(const ek_matrix_s8 *matrix, int32_t channel, int32_t accumulator) {
  const int32_t index = matrix->per_channel ? channel : 0;
  const int32_t scaled = matrix->scales_down
                             ? ek_scaled(ek_matrix_scale(matrix, channel), accumulator)
                             : ek_requantize(accumulator, matrix->multiplier[index], matrix->shift[index]) +
                                   matrix->output_zero_point;
  return ek_clamp(scaled, matrix->activation_min, matrix->activation_max);
}

/* One activation times the weights of 4 channels. */
#define EK_MATRIX_STEP(step)                                                                                 \
  {                                                                                                          \
    const int32_t activation = x[step];                                                                      \
    sum_0 += activation * weights[4 * (step)];                                                               \
    sum_1 += activation * weights[4 * (step) + 1];                                                           \
    sum_2 += activation * weights[4 * (step) + 2];                                                           \
    sum_3 += activation * weights[4 * (step) + 3];                                                           \
  }

/* input: (depth); output: (output_channels). */
EK_IN_ORDER void ek_matrix_vector_s8(const ek_matrix_s8 *matrix, const int8_t *input, int8_t *output) {
  const int8_t *weights = matrix->weights;
  const int8_t *input_end = input + matrix->depth;
  const int8_t *end_of_fours = input + (matrix->depth & ~3);
  const int32_t channels = matrix->output_channels;
  for (int32_t channel = 0; channel < channels;) {
    const int32_t *bias = matrix->bias + channel;
    const int8_t *x = input;
    int32_t sums[4];
    int32_t count = 1;
    if (channels - channel >= 4) {
      int32_t sum_0 = bias[0];
      int32_t sum_1 = bias[1];
      int32_t sum_2 = bias[2];
      int32_t sum_3 = bias[3];
      for (; x != end_of_fours; x += 4, weights += 16) {
        EK_MATRIX_STEP(0)
        EK_MATRIX_STEP(1)
        EK_MATRIX_STEP(2)
        EK_MATRIX_STEP(3)
      }
      for (; x != input_end; ++x, weights += 4) {
        EK_MATRIX_STEP(0)
      }
      sums[0] = sum_0;
      sums[1] = sum_1;
      sums[2] = sum_2;
      sums[3] = sum_3;
      count = 4;
    } else {
      int32_t sum = bias[0];
      for (; x != input_end; ++x, ++weights) {
        sum += *x * *weights;
      }
      sums[0] = sum;
    }
    for (int32_t i = 0; i < count; ++i, ++channel) {
      output[channel] = ek_matrix_output(matrix, channel, sums[i]);
    }
  }
}

#endif
