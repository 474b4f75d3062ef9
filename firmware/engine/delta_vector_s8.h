/* One vector of activations times a weight matrix without its zeros. */
#ifndef EK_DELTA_VECTOR_S8_H
#define EK_DELTA_VECTOR_S8_H

#include "delta_s8.h"

#define EK_DELTA_STEP(step)                                                                                  \
  x += ek_gap(gaps, step, gap_bits);                                                                         \
  sum += *x * weights[step];

/* input: (depth); output: (output_channels). */
static inline void ek_delta_vector_s8(const ek_delta_s8 *delta, const int32_t gap_bits, const int8_t *input,
                                      int8_t *output) {
  const uint8_t *gaps = delta->gaps;
  const int8_t *weights = delta->matrix.weights;
  for (int32_t channel = 0; channel < delta->matrix.output_channels; ++channel) {
    const int8_t *x = input;
    int32_t sum = delta->matrix.bias[channel];
    int32_t left = delta->counts[channel];
    for (; left >= 8; left -= 8, weights += 8, gaps += gap_bits) {
      EK_DELTA_STEP(0)
      EK_DELTA_STEP(1)
      EK_DELTA_STEP(2)
      EK_DELTA_STEP(3)
      EK_DELTA_STEP(4)
      EK_DELTA_STEP(5)
      EK_DELTA_STEP(6)
      EK_DELTA_STEP(7)
    }
    for (; left >= 2; left -= 2, weights += 2, gaps += gap_bits / 4) {
      EK_DELTA_STEP(0)
      EK_DELTA_STEP(1)
    }
    if (left > 0) {
      EK_DELTA_STEP(0)
      ++weights;
      ++gaps;
    }
    output[channel] = ek_matrix_output(&delta->matrix, channel, sum);
  }
}

#endif
