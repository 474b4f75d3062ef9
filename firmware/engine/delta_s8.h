/* A weight matrix without its zeros: how far each weight lies behind the one before it, and what it is.
 * Twin: edgekit/engine/forms/delta/_encode.py. */
#ifndef EK_DELTA_S8_H
#define EK_DELTA_S8_H

#include "matrix_vector_s8.h"

typedef struct {
  ek_matrix_s8 matrix;    /* as of matrix_vector_s8.h; weights: those kept, and zeros that bridge long gaps */
  const uint8_t *gaps;    /* of each weight; of a channel's first one, from depth 0 */
  const uint16_t *counts; /* (output_channels): how many weights each has */
} ek_delta_s8;

/* Gap `step` from here, of 8 bits or of 4: of those the first lies in a byte's low half. */
static inline int32_t ek_gap(const uint8_t *gaps, int32_t step, const int32_t gap_bits) {
  return gap_bits == 8 ? gaps[step] : gaps[step >> 1] >> (4 * (step & 1)) & 15;
}

#endif
