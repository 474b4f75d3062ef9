/* A function of two straight lines that meet at zero, int16. Twin: lower_linear in
 * edgekit/engine/ops/_unary.py. */
#ifndef EK_LINEAR_S16_H
#define EK_LINEAR_S16_H

#include "binary.h"
#include "requantize.h"
#include "unary.h"

typedef struct {
  int32_t row_elements;
  int32_t multiplier; /* from zero on */
  int32_t shift;
  int32_t negative_inner; /* below zero: outer * scaled(inner * x), both 1 or -1 */
  int32_t negative_multiplier;
  int32_t negative_shift;
  int32_t negative_outer;
  int32_t lowest;
  int32_t highest;
} ek_linear_s16_layer;

static inline int32_t ek_linear(const ek_linear_s16_layer *layer, int32_t x) {
  const int32_t scaled =
      x >= 0 ? ek_requantize(x, layer->multiplier, layer->shift)
             : layer->negative_outer * ek_requantize(layer->negative_inner * x, layer->negative_multiplier,
                                                     layer->negative_shift);
  return ek_limit(scaled, layer->lowest, layer->highest);
}

EK_UNARY_KERNEL(ek_linear_s16, int16_t, int16_t, ek_linear)

#endif
