/* Between which pixels an output pixel of RESIZE_BILINEAR lies. Twin: edgekit/engine/ops/resize_bilinear.py.
 */
#ifndef EK_RESIZE_NEIGHBORS_H
#define EK_RESIZE_NEIGHBORS_H

#include <stdint.h>

#define EK_RESIZE_ONE 1024

typedef struct {
  int32_t input_rows;
  int32_t input_columns;
  int32_t output_columns;
  int32_t channels;
  int32_t row_scale; /* input rows for each output row, times 1024 */
  int32_t row_shift; /* position of output row 0, times 1024 */
  int32_t column_scale;
  int32_t column_shift;
} ek_resize_layer;

/* Two neighbors along one axis and how far behind the lower one the sample lies, times 1024. */
typedef struct {
  int32_t lower;
  int32_t upper;
  int32_t fraction; /* below 0 in front of the first pixel: then both neighbors are that one */
} ek_neighbors;

static inline ek_neighbors ek_neighbors_of(int32_t position, int32_t size) {
  const int32_t lower = position < 0 ? 0 : position / EK_RESIZE_ONE;
  const int32_t above = (position + EK_RESIZE_ONE - 1) / EK_RESIZE_ONE;
  const ek_neighbors neighbors = {lower, above < size ? above : size - 1, position - lower * EK_RESIZE_ONE};
  return neighbors;
}

#endif
