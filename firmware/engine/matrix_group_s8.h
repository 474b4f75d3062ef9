/* The matrices of a grouped convolution, one behind the other. */
#ifndef EK_MATRIX_GROUP_S8_H
#define EK_MATRIX_GROUP_S8_H

#include "matrix_vector_s8.h"

/* Moves on to the matrix of the next group. */
static inline void ek_next_group(ek_matrix_s8 *matrix, int32_t weight_bytes) {
  matrix->weights += weight_bytes;
  matrix->bias += matrix->output_channels;
  if (matrix->per_channel) {
    matrix->multiplier += matrix->output_channels;
    matrix->shift += matrix->output_channels;
  }
}

#endif
