/* A few pixels times a weight matrix without its zeros: each weight that is taken up serves all of them. */
#ifndef EK_DELTA_TILE_S8_H
#define EK_DELTA_TILE_S8_H

#include "delta_s8.h"

/* With what a step needs beside them, as many sums as a core of about 14 free registers keeps. */
#define EK_DELTA_PIXELS 4

#define EK_DELTA_TILE_STEP(step)                                                                             \
  {                                                                                                          \
    const int32_t weight = weights[step];                                                                    \
    x += ek_gap(gaps, step, gap_bits) * EK_DELTA_PIXELS;                                                     \
    sum_0 += weight * x[0];                                                                                  \
    sum_1 += weight * x[1];                                                                                  \
    sum_2 += weight * x[2];                                                                                  \
    sum_3 += weight * x[3];                                                                                  \
  }

/* patches: (depth, EK_DELTA_PIXELS); pixels: EK_DELTA_PIXELS outputs of (output_channels) each. */
static inline void ek_delta_tile_s8(const ek_delta_s8 *delta, const int32_t gap_bits, const int8_t *patches,
                                    int8_t *const *pixels) {
  const uint8_t *gaps = delta->gaps;
  const int8_t *weights = delta->matrix.weights;
  const int32_t low = delta->matrix.activation_min;
  const int32_t high = delta->matrix.activation_max;
  for (int32_t channel = 0; channel < delta->matrix.output_channels; ++channel) {
    const int8_t *x = patches;
    int32_t sum_0 = delta->matrix.bias[channel];
    int32_t sum_1 = sum_0;
    int32_t sum_2 = sum_0;
    int32_t sum_3 = sum_0;
    int32_t left = delta->counts[channel];
    for (; left >= 4; left -= 4, weights += 4, gaps += gap_bits / 2) {
      EK_DELTA_TILE_STEP(0)
      EK_DELTA_TILE_STEP(1)
      EK_DELTA_TILE_STEP(2)
      EK_DELTA_TILE_STEP(3)
    }
    if (left >= 2) {
      EK_DELTA_TILE_STEP(0)
      EK_DELTA_TILE_STEP(1)
      left -= 2;
      weights += 2;
      gaps += gap_bits / 4;
    }
    if (left > 0) {
      EK_DELTA_TILE_STEP(0)
      ++weights;
      ++gaps;
    }
    if (delta->matrix.scales_down) {
      const ek_scale scale = ek_matrix_scale(&delta->matrix, channel);
      pixels[0][channel] = ek_clamp(ek_scaled(scale, sum_0), low, high);
      pixels[1][channel] = ek_clamp(ek_scaled(scale, sum_1), low, high);
      pixels[2][channel] = ek_clamp(ek_scaled(scale, sum_2), low, high);
      pixels[3][channel] = ek_clamp(ek_scaled(scale, sum_3), low, high);
    } else {
      pixels[0][channel] = ek_matrix_output(&delta->matrix, channel, sum_0);
      pixels[1][channel] = ek_matrix_output(&delta->matrix, channel, sum_1);
      pixels[2][channel] = ek_matrix_output(&delta->matrix, channel, sum_2);
      pixels[3][channel] = ek_matrix_output(&delta->matrix, channel, sum_3);
    }
  }
}

#endif
