/* A few pixels, or one vector, times a weight matrix of which only blocks are stored: four channels at four
 * depths or at one. Twin: edgekit/engine/forms/blocks/_stream.py.
 *
 * The weights of four channels are blocks of four depths, a zero, blocks of one depth, and a zero. A block is
 * how many depths it lies behind the one before, the first of its kind behind depth -1, and the four weights
 * of each depth. The last ones are of the last four channels, though some may be among those before them too:
 * there are at least four. */
#ifndef EK_TILE_BLOCKS_S8_H
#define EK_TILE_BLOCKS_S8_H

#include "tile_s8.h"

/* How many depths the next block lies further; 0 behind the last one. */
static inline int32_t ek_block_step(const int8_t *block) {
  return (uint8_t)*block;
}

/* patches: (depth, EK_TILE_PIXELS); pixels: EK_TILE_PIXELS outputs of (output_channels) each. */
EK_IN_ORDER void ek_tile_blocks_s8(const ek_matrix_s8 *matrix, const int8_t *patches, int8_t *const *pixels) {
  const int8_t *weights = matrix->weights + 5; /* a block's begin at its depth 0, here at -1 */
  const int32_t low = matrix->activation_min;
  const int32_t high = matrix->activation_max;
  const int32_t last = matrix->output_channels - 4;
  for (int32_t begin = 0; begin < matrix->output_channels; begin += 4) {
    const int32_t first = begin < last ? begin : last;
    int32_t bias = matrix->bias[first];
    EK_FOR_PIXELS(EK_TILE_BEGIN, 0)
    bias = matrix->bias[first + 1];
    EK_FOR_PIXELS(EK_TILE_BEGIN, 1)
    bias = matrix->bias[first + 2];
    EK_FOR_PIXELS(EK_TILE_BEGIN, 2)
    bias = matrix->bias[first + 3];
    EK_FOR_PIXELS(EK_TILE_BEGIN, 3)
    const int8_t *x = patches; /* behind the first depth of the block */
    for (int32_t step = ek_block_step(weights - 5); step != 0; step = ek_block_step(weights - 5)) {
      x += step * EK_TILE_PIXELS;
      EK_TILE_STEP(-1) EK_TILE_STEP(0) EK_TILE_STEP(1) EK_TILE_STEP(2) weights += 17;
    }
    ++weights;
    x = patches;
    for (int32_t step = ek_block_step(weights - 5); step != 0; step = ek_block_step(weights - 5)) {
      x += step * EK_TILE_PIXELS;
      EK_TILE_STEP(-1)
      weights += 5;
    }
    ++weights;
    EK_FOR_PIXELS(EK_TILE_PIXEL, first)
    EK_TILE_OUTPUT(0)
    EK_TILE_OUTPUT(1)
    EK_TILE_OUTPUT(2)
    EK_TILE_OUTPUT(3)
  }
}

/* input: (depth); output: (output_channels). */
EK_IN_ORDER void ek_vector_blocks_s8(const ek_matrix_s8 *matrix, const int8_t *input, int8_t *output) {
  const int8_t *weights = matrix->weights + 5;
  const int32_t last = matrix->output_channels - 4;
  for (int32_t begin = 0; begin < matrix->output_channels; begin += 4) {
    const int32_t first = begin < last ? begin : last;
    const int32_t *bias = matrix->bias + first;
    int32_t sum_0 = bias[0];
    int32_t sum_1 = bias[1];
    int32_t sum_2 = bias[2];
    int32_t sum_3 = bias[3];
    const int8_t *x = input;
    for (int32_t step = ek_block_step(weights - 5); step != 0; step = ek_block_step(weights - 5)) {
      x += step;
      EK_MATRIX_STEP(-1)
      EK_MATRIX_STEP(0)
      EK_MATRIX_STEP(1)
      EK_MATRIX_STEP(2)
      weights += 17;
    }
    ++weights;
    x = input;
    for (int32_t step = ek_block_step(weights - 5); step != 0; step = ek_block_step(weights - 5)) {
      x += step;
      EK_MATRIX_STEP(-1)
      weights += 5;
    }
    ++weights;
    output[first] = ek_matrix_output(matrix, first, sum_0);
    output[first + 1] = ek_matrix_output(matrix, first + 1, sum_1);
    output[first + 2] = ek_matrix_output(matrix, first + 2, sum_2);
    output[first + 3] = ek_matrix_output(matrix, first + 3, sum_3);
  }
}

#endif
