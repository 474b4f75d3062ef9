/* What an output position of a transposed convolution sees, along one axis. */
#ifndef EK_TRANSPOSE_PHASE_H
#define EK_TRANSPOSE_PHASE_H

#include <stdint.h>

typedef struct {
  int32_t kernel_rows;
  int32_t kernel_columns;
  int32_t stride_rows;
  int32_t stride_columns;
  int32_t pad_top;
  int32_t pad_left;
} ek_transposed;

typedef struct {
  int32_t phase; /* 0 <= phase < stride */
  int32_t taps;  /* kernel positions phase, phase + stride, ...: so many input positions are seen */
  int32_t first; /* the first of them, which may lie before the input */
} ek_phase;

static inline ek_phase ek_phase_at(int32_t position, int32_t kernel, int32_t stride, int32_t pad) {
  const int32_t padded = position + pad;
  ek_phase at = {padded % stride, 0, 0};
  at.taps = (kernel - at.phase + stride - 1) / stride;
  at.taps = at.phase < kernel ? at.taps : 0;
  at.first = padded / stride - at.taps + 1;
  return at;
}

#endif
