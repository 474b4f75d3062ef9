/* A few pixels times a weight matrix: all sums of 4 channels and EK_TILE_PIXELS pixels stay in registers, so
 * that each load serves several products. The weights lie as in matrix_vector_s8.h. */
#ifndef EK_TILE_S8_H
#define EK_TILE_S8_H

#include "in_order.h"
#include "limit.h"
#include "matrix_vector_s8.h"
#include "tile_pixels.h"

#define EK_TILE_BEGIN(channel, pixel) int32_t sum_##channel##_##pixel = bias;
#define EK_TILE_LOAD(step, pixel) const int32_t x_##pixel = x[(step)*EK_TILE_PIXELS + pixel];
#define EK_TILE_ADD(channel, pixel) sum_##channel##_##pixel += weight * x_##pixel;
#define EK_TILE_STORE(channel, pixel)                                                                        \
  pixel_##pixel[channel] = (int8_t)ek_limit(ek_scaled(scale, sum_##channel##_##pixel), low, high);
#define EK_TILE_PIXEL(first, pixel) int8_t *pixel_##pixel = pixels[pixel] + (first);

/* One activation of each pixel times the weights of 4 channels, or of one. */
#define EK_TILE_STEP(step)                                                                                   \
  {                                                                                                          \
    EK_FOR_PIXELS(EK_TILE_LOAD, step)                                                                        \
    EK_TILE_PRODUCTS(step, 0) EK_TILE_PRODUCTS(step, 1) EK_TILE_PRODUCTS(step, 2) EK_TILE_PRODUCTS(step, 3)  \
  }
#define EK_TILE_PRODUCTS(step, channel)                                                                      \
  {                                                                                                          \
    const int32_t weight = weights[4 * (step) + (channel)];                                                  \
    EK_FOR_PIXELS(EK_TILE_ADD, channel)                                                                      \
  }
#define EK_TILE_STEP_OF_ONE(step)                                                                            \
  {                                                                                                          \
    const int32_t weight = weights[step];                                                                    \
    EK_FOR_PIXELS(EK_TILE_LOAD, step)                                                                        \
    EK_FOR_PIXELS(EK_TILE_ADD, 0)                                                                            \
  }
#define EK_TILE_OUTPUT(channel)                                                                              \
  {                                                                                                          \
    const ek_scale scale = ek_matrix_scale(matrix, first + (channel));                                       \
    EK_FOR_PIXELS(EK_TILE_STORE, channel)                                                                    \
  }

/* patches: (depth, EK_TILE_PIXELS), so that the pixels' activations of one weight are neighbors;
 * pixels: EK_TILE_PIXELS outputs of (output_channels) each. */
EK_IN_ORDER void ek_tile_s8(const ek_matrix_s8 *matrix, const int8_t *patches, int8_t *const *pixels) {
  const int8_t *weights = matrix->weights;
  const int8_t *end = patches + matrix->depth * EK_TILE_PIXELS;
  const int8_t *end_of_fours = patches + (matrix->depth & ~3) * EK_TILE_PIXELS;
  const int32_t low = matrix->activation_min;
  const int32_t high = matrix->activation_max;
  const int32_t whole = matrix->output_channels & ~3;
  for (int32_t first = 0; first < whole; first += 4) {
    int32_t bias = matrix->bias[first];
    EK_FOR_PIXELS(EK_TILE_BEGIN, 0)
    bias = matrix->bias[first + 1];
    EK_FOR_PIXELS(EK_TILE_BEGIN, 1)
    bias = matrix->bias[first + 2];
    EK_FOR_PIXELS(EK_TILE_BEGIN, 2)
    bias = matrix->bias[first + 3];
    EK_FOR_PIXELS(EK_TILE_BEGIN, 3)
    const int8_t *x = patches;
    for (; x != end_of_fours; x += 4 * EK_TILE_PIXELS, weights += 16) {
      EK_TILE_STEP(0) EK_TILE_STEP(1) EK_TILE_STEP(2) EK_TILE_STEP(3)
    }
    for (; x != end; x += EK_TILE_PIXELS, weights += 4) {
      EK_TILE_STEP(0)
    }
    EK_FOR_PIXELS(EK_TILE_PIXEL, first)
    EK_TILE_OUTPUT(0)
    EK_TILE_OUTPUT(1)
    EK_TILE_OUTPUT(2)
    EK_TILE_OUTPUT(3)
  }
  for (int32_t first = whole; first < matrix->output_channels; ++first) {
    const int32_t bias = matrix->bias[first];
    EK_FOR_PIXELS(EK_TILE_BEGIN, 0)
    const int8_t *x = patches;
    for (; x != end_of_fours; x += 4 * EK_TILE_PIXELS, weights += 4) {
      EK_TILE_STEP_OF_ONE(0) EK_TILE_STEP_OF_ONE(1) EK_TILE_STEP_OF_ONE(2) EK_TILE_STEP_OF_ONE(3)
    }
    for (; x != end; x += EK_TILE_PIXELS, ++weights) {
      EK_TILE_STEP_OF_ONE(0)
    }
    EK_FOR_PIXELS(EK_TILE_PIXEL, first)
    EK_TILE_OUTPUT(0)
  }
}

#endif
