/* The product of matrix.mve.h with weights of which blocks of 4 channels x 4 depths are left out.
 * Twin: edgekit/engine/forms/blocks/_matrix_mve.py.
 *
 * In place of a group's weights stand its kept blocks, four at a time, at least once: a word, how many times;
 * then each time the places of the four in the vectors, a half each that counts words, and of each channel
 * their 16 weights. Vectors lie at whole words. */
#ifndef EK_MATRIX_BLOCKS_MVE_H
#define EK_MATRIX_BLOCKS_MVE_H

#include "matrix.mve.h"

static inline ek_tile_mve ek_tile_of_blocks_mve(const ek_matrix_mve *matrix, const int32_t *blocks) {
  ek_tile_mve tile = ek_tile_of_mve(matrix);
  tile.weights = (const int8_t *)blocks;
  return tile;
}

#if defined(__ARM_FEATURE_MVE)

#define EK_LOAD_BLOCKS_1_MVE "vldrh.u32 q0, [r1], #8\nvldrw.u32 q4, [r3, q0, uxtw #2]\n"
#define EK_LOAD_BLOCKS_2_MVE EK_LOAD_BLOCKS_1_MVE "vldrw.u32 q5, [r9, q0, uxtw #2]\n"
#define EK_SUMS_BLOCKS_MVE(rows, load, mac)                                                                  \
  "ldr r7, [r1], #4\n"                                                                                       \
  "2:\n" load                                                                                                \
  rows(mac) "subs r7, #1\n"                                                                                  \
            "bne 2b\n"

#define EK_GROUP_BLOCKS_1_MVE(rows)                                                                          \
  EK_BIAS_MVE EK_SUMS_BLOCKS_MVE(rows, EK_LOAD_BLOCKS_1_MVE, EK_MAC_1_MVE)                                   \
      EK_SCALE_MVE(EK_GATHER_1_MVE, EK_BOTH_1_MVE)
#define EK_GROUP_BLOCKS_2_MVE(rows)                                                                          \
  EK_BIAS_MVE EK_COPY_BIAS_MVE EK_SUMS_BLOCKS_MVE(rows, EK_LOAD_BLOCKS_2_MVE, EK_MAC_2_MVE)                  \
      EK_SCALE_MVE(EK_GATHER_2_MVE, EK_BOTH_2_MVE)

EK_MATRIX_ONE_MVE(ek_blocks_one_mve, EK_GROUP_BLOCKS_1_MVE)
EK_MATRIX_TWO_MVE(ek_blocks_two_mve, EK_GROUP_BLOCKS_2_MVE)

#else

static inline const int8_t *ek_add_blocks_mve(const ek_tile_mve *tile, const int8_t *x, const int8_t *weights,
                                              int32_t channels, int32_t sums[4]) {
  (void)tile;
  int32_t times = *(const int32_t *)(const void *)weights;
  for (weights += 4; times > 0; --times) {
    const uint16_t *places = (const uint16_t *)(const void *)weights;
    weights += 8;
    for (int32_t channel = 0; channel < channels; ++channel) {
      for (int32_t i = 0; i < 16; ++i) {
        sums[channel] += x[4 * places[i / 4] + i % 4] * *weights++;
      }
    }
  }
  return weights;
}

static inline void ek_blocks_one_mve(ek_tile_mve *tile) {
  ek_matrix_vector_mve(tile, ek_add_blocks_mve, 0);
}

static inline void ek_blocks_two_mve(ek_tile_mve *tile) {
  ek_matrix_vector_mve(tile, ek_add_blocks_mve, 0);
  ek_matrix_vector_mve(tile, ek_add_blocks_mve, 1);
}

#endif

#endif
