/* GATHER_ND: slices picked by several indices each. Twin: edgekit/engine/ops/gather_nd.py.
 * What would begin outside of the input begins at its nearest end: nothing outside is ever read. */
#ifndef EK_GATHER_ND_H
#define EK_GATHER_ND_H

#include "rows.h"

#include <stdint.h>
#include <string.h>

typedef struct {
  int32_t element_bytes;
  int32_t slice_elements;
  int32_t last_slice; /* element at which the last slice of the input begins */
  int32_t indices;    /* for each slice of the output */
  int32_t stride[5];  /* elements of the input that each of them moves by */
} ek_gather_nd_layer;

/* Element of the input at which the slice with these indices begins; sums wrap as TFLite Micro's do. */
static inline int32_t ek_gathered_element(const ek_gather_nd_layer *layer, const int32_t *indices) {
  uint32_t sum = 0;
  for (int32_t i = 0; i < layer->indices; ++i) {
    sum += (uint32_t)indices[i] * (uint32_t)layer->stride[i];
  }
  const int32_t element = (int32_t)sum;
  if (element < 0) {
    return 0;
  }
  return element < layer->last_slice ? element : layer->last_slice;
}

/* input: whole; indices: int32 (slices, indices), whole; output: (slices, slice_elements), cut into its rows.
 */
static inline void ek_gather_nd(const ek_gather_nd_layer *layer, ek_rows input, ek_rows indices,
                                ek_rows output, int32_t row_begin, int32_t row_end) {
  const int32_t *picked = (const int32_t *)(const void *)indices.data;
  const int32_t slice_bytes = layer->slice_elements * layer->element_bytes;
  for (int32_t y = row_begin; y < row_end; ++y) {
    int8_t *to = ek_row(output, y);
    int32_t number = y * output.row_bytes / slice_bytes;
    int32_t skipped = y * output.row_bytes % slice_bytes; /* a slice may reach over several rows */
    for (int32_t left = output.row_bytes; left > 0; skipped = 0, ++number) {
      const int32_t rest = slice_bytes - skipped;
      const int32_t bytes = rest < left ? rest : left;
      const int32_t element = ek_gathered_element(layer, picked + number * layer->indices);
      memcpy(to, input.data + element * layer->element_bytes + skipped, (size_t)bytes);
      to += bytes;
      left -= bytes;
    }
  }
}

#endif
