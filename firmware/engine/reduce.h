/* How a reduction walks its input: for each element of the output, the elements along some axes.
 * Twin: edgekit/engine/ops/_reduce.py. */
#ifndef EK_REDUCE_H
#define EK_REDUCE_H

#include <stdint.h>

#define EK_REDUCE_LOOPS 3

/* Dimensions, the innermost last; neighbors that lie behind each other in memory are one. */
typedef struct {
  int32_t loops;
  int32_t count[EK_REDUCE_LOOPS];
  int32_t step[EK_REDUCE_LOOPS]; /* elements of the input */
} ek_axes;

typedef struct {
  ek_axes kept;
  ek_axes outer; /* reduced axes but the innermost */
  int32_t outer_count;
  int32_t inner_count; /* the innermost reduced axis */
  int32_t inner_step;
} ek_reduction;

/* Element of the input at `position` of these axes, counted in row-major order. */
static inline int32_t ek_axes_element(const ek_axes *axes, int32_t position) {
  int32_t element = 0;
  for (int32_t loop = axes->loops - 1; loop > 0; --loop) {
    element += position % axes->count[loop] * axes->step[loop];
    position /= axes->count[loop];
  }
  return axes->loops == 0 ? 0 : element + position * axes->step[0];
}

#endif
