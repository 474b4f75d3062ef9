/* One vector of int8 activations times an int4 weight matrix that stays packed, two weights a byte.
 *
 * Weights are stored in blocks of four output channels: (output_channels / 4, depth, 4), so that two bytes
 * hold the weights of four channels for one activation. The last output_channels % 4 channels follow as rows
 * of depth weights, each row in whole bytes. The first of two weights is the low half of its byte. */
#ifndef EK_MATRIX_VECTOR_S4_H
#define EK_MATRIX_VECTOR_S4_H

#include "int4.h"
#include "matrix_vector_s8.h"

/* As ek_matrix_s8, the weights packed. input: (depth); output: (output_channels). */
static inline void ek_matrix_vector_s4(const ek_matrix_s8 *matrix, const int8_t *input, int8_t *output) {
  const int8_t *weights = matrix->weights;
  const int8_t *input_end = input + matrix->depth;
  const int32_t whole = matrix->output_channels & ~3;
  for (int32_t channel = 0; channel < whole; channel += 4) {
    int32_t sum_0 = matrix->bias[channel];
    int32_t sum_1 = matrix->bias[channel + 1];
    int32_t sum_2 = matrix->bias[channel + 2];
    int32_t sum_3 = matrix->bias[channel + 3];
    for (const int8_t *x = input; x != input_end; ++x, weights += 2) {
      const int32_t activation = *x;
      sum_0 += activation * ek_int4_low(weights[0]);
      sum_1 += activation * ek_int4_high(weights[0]);
      sum_2 += activation * ek_int4_low(weights[1]);
      sum_3 += activation * ek_int4_high(weights[1]);
    }
    output[channel] = ek_matrix_output(matrix, channel, sum_0);
    output[channel + 1] = ek_matrix_output(matrix, channel + 1, sum_1);
    output[channel + 2] = ek_matrix_output(matrix, channel + 2, sum_2);
    output[channel + 3] = ek_matrix_output(matrix, channel + 3, sum_3);
  }
  for (int32_t channel = whole; channel < matrix->output_channels;
       ++channel, weights += (matrix->depth + 1) / 2) {
    int32_t sum = matrix->bias[channel];
    for (int32_t i = 0; i < matrix->depth; ++i) {
      sum += input[i] * ek_int4(weights, i);
    }
    output[channel] = ek_matrix_output(matrix, channel, sum);
  }
}

#endif
