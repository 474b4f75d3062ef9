/* A weight matrix of matrix.mve.h of which one group of channels at a time is unpacked, a unit of the stream.
 * Twin: edgekit/engine/forms/packed/_matrix_mve.py. */
#ifndef EK_PACKED_MATRIX_MVE_H
#define EK_PACKED_MATRIX_MVE_H

#include "matrix.mve.h"
#include "packed.h"

/* Lets a tile compute the group of channels from `first` on, whose weights have been unpacked; returns how
 * many they are. */
static inline int32_t ek_take_group_mve(ek_tile_mve *tile, const ek_matrix_mve *matrix, int32_t first,
                                        const int8_t *weights) {
  const int32_t left = matrix->output_channels - first;
  tile->weights = weights;
  tile->scales = matrix->scales + first / 4 * EK_GROUP_WORDS_MVE;
  tile->scales_end = tile->scales + (left < 4 ? 0 : EK_GROUP_WORDS_MVE);
  tile->channels_left = left < 4 ? left : 0;
  return left < 4 ? left : 4;
}

/* `count` vectors, `depth` bytes one behind the other, times the group of channels; outputs: of each vector.
 */
static inline void ek_group_times_mve(ek_tile_mve *tile, const int8_t *vectors, int32_t depth,
                                      int8_t *const *outputs, int32_t count) {
  tile->input = vectors;
  tile->second_input = vectors + depth;
  for (; count > 1; count -= 2, outputs += 2) {
    tile->output[0] = outputs[0];
    tile->output[1] = outputs[1];
    ek_matrix_two_mve(tile);
    tile->input += 2 * depth;
    tile->second_input += 2 * depth;
  }
  if (count > 0) {
    tile->output[0] = outputs[0];
    ek_matrix_one_mve(tile);
  }
}

#endif
