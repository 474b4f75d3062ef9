/* Comparisons of int32. Twin: edgekit/engine/ops/_compare.py. */
#ifndef EK_COMPARE_S32_H
#define EK_COMPARE_S32_H

#include "binary.h"

typedef struct {
  ek_pair pair;
  int32_t less; /* 1 where the answer is true for left < right */
  int32_t equal;
  int32_t greater;
} ek_compare_s32_layer;

static inline int32_t ek_compare(const ek_compare_s32_layer *layer, int32_t a, int32_t b) {
  if (a == b) {
    return layer->equal;
  }
  return a < b ? layer->less : layer->greater;
}

EK_BINARY_KERNEL(ek_compare_s32, ek_compare_s32_layer, int32_t, int32_t, uint8_t, ek_compare)

#endif
