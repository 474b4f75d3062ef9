/* Operators of truth values (0 or 1). Twin: edgekit/engine/ops/_logical.py. */
#ifndef EK_LOGICAL_S8_H
#define EK_LOGICAL_S8_H

#include "binary.h"

typedef struct {
  ek_pair pair;
  int32_t truth; /* bit 2 * left + right is the answer */
} ek_logical_s8_layer;

static inline int32_t ek_truth(const ek_logical_s8_layer *layer, int32_t a, int32_t b) {
  return layer->truth >> (2 * (a != 0) + (b != 0)) & 1;
}

EK_BINARY_KERNEL(ek_logical_s8, ek_logical_s8_layer, int8_t, int8_t, uint8_t, ek_truth)

#endif
