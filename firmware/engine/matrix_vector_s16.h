/* One vector of int16 activations times an int8 weight matrix. The weights lie as in matrix_vector_s8.h. */
#ifndef EK_MATRIX_VECTOR_S16_H
#define EK_MATRIX_VECTOR_S16_H

#include "requantize.h"
#include "requantize_s16.h"

#include <stdint.h>

typedef struct {
  const int8_t *weights;
  const int64_t *bias;       /* (output_channels) */
  const int32_t *multiplier; /* (output_channels), or one for all */
  const int8_t *shift;       /* as multiplier */
  int32_t per_channel;       /* 1: one multiplier a channel; 0: one for all */
  int32_t narrow;            /* 1: int32 accumulators, rounded twice; 0: int64, rounded once */
  int32_t depth;
  int32_t output_channels;
  int32_t activation_min;
  int32_t activation_max;
} ek_matrix_s16;

static inline int16_t ek_matrix_output_s16(const ek_matrix_s16 *matrix, int32_t channel,
                                           int64_t accumulator) {
  const int32_t index = matrix->per_channel ? channel : 0;
  const int32_t multiplier = matrix->multiplier[index];
  const int32_t shift = matrix->shift[index];
  const int32_t scaled = matrix->narrow ? ek_requantize((int32_t)accumulator, multiplier, shift)
                                        : ek_requantize_s16(accumulator, multiplier, shift);
  return ek_clamp_s16(scaled, matrix->activation_min, matrix->activation_max);
}

/* Four output channels: sums[i] += x * weights of channel i. 256 products of int16 and int8 fit int32. */
static inline void ek_matrix_block_s16(const int16_t *x, int32_t depth, const int8_t *weights,
                                       int64_t *sums) {
  while (depth > 0) {
    const int16_t *end = x + (depth < 256 ? depth : 256);
    int32_t part_0 = 0;
    int32_t part_1 = 0;
    int32_t part_2 = 0;
    int32_t part_3 = 0;
    for (; x != end; ++x, weights += 4) {
      const int32_t activation = *x;
      part_0 += activation * weights[0];
      part_1 += activation * weights[1];
      part_2 += activation * weights[2];
      part_3 += activation * weights[3];
    }
    sums[0] += part_0;
    sums[1] += part_1;
    sums[2] += part_2;
    sums[3] += part_3;
    depth -= 256;
  }
}

/* input: (depth); output: (output_channels). */
static inline void ek_matrix_vector_s16(const ek_matrix_s16 *matrix, const int16_t *input, int16_t *output) {
  const int8_t *weights = matrix->weights;
  const int32_t whole = matrix->output_channels & ~3;
  for (int32_t channel = 0; channel < whole; channel += 4, weights += 4 * matrix->depth) {
    const int64_t *bias = matrix->bias + channel;
    int64_t sums[4] = {bias[0], bias[1], bias[2], bias[3]};
    ek_matrix_block_s16(input, matrix->depth, weights, sums);
    for (int32_t i = 0; i < 4; ++i) {
      output[channel + i] = ek_matrix_output_s16(matrix, channel + i, sums[i]);
    }
  }
  for (int32_t channel = whole; channel < matrix->output_channels; ++channel) {
    int64_t sum = matrix->bias[channel];
    for (int32_t i = 0; i < matrix->depth; ++i, ++weights) {
      sum += input[i] * *weights;
    }
    output[channel] = ek_matrix_output_s16(matrix, channel, sum);
  }
}

/* Moves on to the matrix of the next group of a grouped convolution, which lies behind this one. */
static inline void ek_next_group_s16(ek_matrix_s16 *matrix, int32_t weight_bytes) {
  matrix->weights += weight_bytes;
  matrix->bias += matrix->output_channels;
  if (matrix->per_channel) {
    matrix->multiplier += matrix->output_channels;
    matrix->shift += matrix->output_channels;
  }
}

#endif
