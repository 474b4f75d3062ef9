/* A weight matrix of which 4 channels at a time are unpacked. Twin: edgekit/engine/forms/packed/_matrix.py.
 *
 * A unit of the stream is a block of 4 channels as in matrix_vector_s8.h, the last one the rows of the
 * channels that are left. */
#ifndef EK_PACKED_MATRIX_S8_H
#define EK_PACKED_MATRIX_S8_H

#include "matrix_vector_s8.h"
#include "packed.h"

/* At most 4 channels of a matrix, from `first` on, whose weights have been unpacked. */
static inline ek_matrix_s8 ek_matrix_part_s8(const ek_matrix_s8 *matrix, int32_t first,
                                             const int8_t *weights) {
  const int32_t left = matrix->output_channels - first;
  ek_matrix_s8 part = *matrix;
  part.weights = weights;
  part.bias += first;
  if (matrix->per_channel) {
    part.multiplier += first;
    part.shift += first;
  }
  part.output_channels = left < 4 ? left : 4;
  return part;
}

#endif
