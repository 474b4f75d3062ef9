/* DYNAMIC_UPDATE_SLICE: a box written at a computed place. Twin: edgekit/engine/ops/dynamic_update_slice.py.
 * A box that would reach outside is moved inside, as TFLite does it: nothing outside is ever written. */
#ifndef EK_UPDATE_SLICE_H
#define EK_UPDATE_SLICE_H

#include "rows.h"

#include <stdint.h>
#include <string.h>

#define EK_UPDATE_DIMENSIONS 5

typedef struct {
  int32_t element_bytes;
  int32_t dimensions;
  int32_t runs;                         /* of the box's last dimension */
  int32_t size[EK_UPDATE_DIMENSIONS];   /* of the box */
  int32_t stride[EK_UPDATE_DIMENSIONS]; /* elements of the output */
  int32_t room[EK_UPDATE_DIMENSIONS];   /* the furthest start */
} ek_update_slice_layer;

/* Element of the output at which the box begins. */
static inline int32_t ek_update_start(const ek_update_slice_layer *layer, const int32_t *starts) {
  int32_t element = 0;
  for (int32_t axis = 0; axis < layer->dimensions; ++axis) {
    const int32_t start = starts[axis] < 0 ? 0 : starts[axis];
    element += (start < layer->room[axis] ? start : layer->room[axis]) * layer->stride[axis];
  }
  return element;
}

/* box: (runs, size of its last dimension), whole; starts: int32 (dimensions), whole; output: cut into its
 * rows, in which the box's elements are replaced. */
static inline void ek_update_slice(const ek_update_slice_layer *layer, ek_rows box, ek_rows starts,
                                   ek_rows output, int32_t row_begin, int32_t row_end) {
  const int32_t innermost = layer->dimensions - 1;
  const int32_t run_bytes = layer->size[innermost] * layer->element_bytes;
  const int32_t first = ek_update_start(layer, (const int32_t *)(const void *)starts.data);
  for (int32_t run = 0; run < layer->runs; ++run) {
    int32_t element = first;
    int32_t position = run;
    for (int32_t axis = innermost - 1; axis >= 0; --axis) {
      element += position % layer->size[axis] * layer->stride[axis];
      position /= layer->size[axis];
    }
    const int32_t byte = element * layer->element_bytes;
    const int32_t y = byte / output.row_bytes;
    if (y >= row_begin && y < row_end) {
      memcpy(ek_row(output, y) + byte % output.row_bytes, box.data + run * run_bytes, (size_t)run_bytes);
    }
  }
}

#endif
