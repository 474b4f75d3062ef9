/* One vector of activations times a weight matrix: the heart of convolution and of fully connected layers.
 *
 * Weights are stored in blocks of four output channels, interleaved: (output_channels / 4, depth, 4). One
 * activation is then loaded for four products, and the weights are read in order. The last
 * output_channels % 4 channels follow as plain rows of depth weights. */
#ifndef EK_MATRIX_VECTOR_S8_H
#define EK_MATRIX_VECTOR_S8_H

#include "requantize.h"

#include <stdint.h>

typedef struct {
  const int8_t *weights;
  const int32_t *bias;       /* (output_channels), the input zero point folded in */
  const int32_t *multiplier; /* (output_channels), or one for all */
  const int8_t *shift;       /* as multiplier */
  int32_t per_channel;       /* 1: one multiplier a channel; 0: one for all */
  int32_t depth;
  int32_t output_channels;
  int32_t output_zero_point;
  int32_t activation_min;
  int32_t activation_max;
} ek_matrix_s8;

static inline int8_t ek_matrix_output(const ek_matrix_s8 *matrix, int32_t channel, int32_t accumulator) {
  const int32_t index = matrix->per_channel ? channel : 0;
  const int32_t scaled = ek_requantize(accumulator, matrix->multiplier[index], matrix->shift[index]);
  return ek_clamp(scaled + matrix->output_zero_point, matrix->activation_min, matrix->activation_max);
}

/* How the accumulators of a channel become activations, in a matrix whose shifts and sums ek_scale allows. */
static inline ek_scale ek_matrix_scale(const ek_matrix_s8 *matrix, int32_t channel) {
  const int32_t index = matrix->per_channel ? channel : 0;
  return ek_scale_of(matrix->multiplier[index], matrix->shift[index], matrix->output_zero_point);
}

/* input: (depth); output: (output_channels). */
static inline void ek_matrix_vector_s8(const ek_matrix_s8 *matrix, const int8_t *input, int8_t *output) {
  const int8_t *weights = matrix->weights;
  const int8_t *input_end = input + matrix->depth;
  const int32_t whole = matrix->output_channels & ~3;
  for (int32_t channel = 0; channel < whole; channel += 4) {
    int32_t sum_0 = matrix->bias[channel];
    int32_t sum_1 = matrix->bias[channel + 1];
    int32_t sum_2 = matrix->bias[channel + 2];
    int32_t sum_3 = matrix->bias[channel + 3];
    for (const int8_t *x = input; x != input_end; ++x, weights += 4) {
      const int32_t activation = *x;
      sum_0 += activation * weights[0];
      sum_1 += activation * weights[1];
      sum_2 += activation * weights[2];
      sum_3 += activation * weights[3];
    }
    output[channel] = ek_matrix_output(matrix, channel, sum_0);
    output[channel + 1] = ek_matrix_output(matrix, channel + 1, sum_1);
    output[channel + 2] = ek_matrix_output(matrix, channel + 2, sum_2);
    output[channel + 3] = ek_matrix_output(matrix, channel + 3, sum_3);
  }
  for (int32_t channel = whole; channel < matrix->output_channels; ++channel) {
    int32_t sum = matrix->bias[channel];
    for (const int8_t *x = input; x != input_end; ++x, ++weights) {
      sum += *x * *weights;
    }
    output[channel] = ek_matrix_output(matrix, channel, sum);
  }
}

#endif
