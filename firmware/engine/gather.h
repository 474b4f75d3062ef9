/* GATHER and EMBEDDING_LOOKUP: slices picked by their position along one axis. Twin:
 * edgekit/engine/ops/_gather.py. A position outside of the axis picks the nearest one inside: nothing outside
 * of the input is ever read. */
#ifndef EK_GATHER_H
#define EK_GATHER_H

#include "rows.h"

#include <stdint.h>
#include <string.h>

typedef struct {
  int32_t slice_bytes; /* of what lies behind the axis */
  int32_t axis_size;
  int32_t positions; /* per batch */
  int32_t outer;     /* indices between the batch and the axis */
} ek_gather_layer;

/* Byte of the input at which slice `number` of the output begins. */
static inline int32_t ek_gathered_slice(const ek_gather_layer *layer, const int32_t *positions,
                                        int32_t number) {
  const int32_t outside = number / layer->positions; /* batch * outer + index */
  const int32_t batch = outside / layer->outer;
  int32_t position = positions[batch * layer->positions + number % layer->positions];
  position = position < 0 ? 0 : position;
  position = position < layer->axis_size ? position : layer->axis_size - 1;
  return (outside * layer->axis_size + position) * layer->slice_bytes;
}

/* input: (batch, outer, axis_size, slice_bytes), whole; positions: int32 (batch, positions), whole;
 * output: (batch, outer, positions, slice_bytes), cut into its rows. */
static inline void ek_gather(const ek_gather_layer *layer, ek_rows input, ek_rows positions, ek_rows output,
                             int32_t row_begin, int32_t row_end) {
  const int32_t *picked = (const int32_t *)(const void *)positions.data;
  for (int32_t y = row_begin; y < row_end; ++y) {
    int8_t *to = ek_row(output, y);
    int32_t number = y * output.row_bytes / layer->slice_bytes;
    int32_t skipped = y * output.row_bytes % layer->slice_bytes; /* a slice may reach over several rows */
    for (int32_t left = output.row_bytes; left > 0; skipped = 0, ++number) {
      const int32_t rest = layer->slice_bytes - skipped;
      const int32_t bytes = rest < left ? rest : left;
      memcpy(to, input.data + ek_gathered_slice(layer, picked, number) + skipped, (size_t)bytes);
      to += bytes;
      left -= bytes;
    }
  }
}

#endif
