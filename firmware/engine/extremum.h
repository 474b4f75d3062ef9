/* MAXIMUM and MINIMUM of codes with one scale. Twin: edgekit/engine/ops/_extremum.py. */
#ifndef EK_EXTREMUM_H
#define EK_EXTREMUM_H

#include "binary.h"

typedef struct {
  ek_pair pair;
  int32_t largest; /* 1: the maximum, 0: the minimum */
} ek_extremum_layer;

static inline int32_t ek_extremum(const ek_extremum_layer *layer, int32_t a, int32_t b) {
  return (a > b) == (layer->largest != 0) ? a : b;
}

#endif
