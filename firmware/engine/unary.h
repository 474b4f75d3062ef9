/* Operators of one tensor, element by element. Twin: edgekit/engine/ops/_unary.py. */
#ifndef EK_UNARY_H
#define EK_UNARY_H

#include "rows.h"

#include <stdint.h>

/* Defines kernel NAME: OUT[i] = VALUE(layer, IN[i]). The layer's first field is `row_elements`; it is copied
 * so that no store to the output can be taken for a change of it. */
#define EK_UNARY_KERNEL(NAME, IN, OUT, VALUE)                                                                \
  static inline void NAME(const NAME##_layer *layer, ek_rows input, ek_rows output, int32_t row_begin,       \
                          int32_t row_end) {                                                                 \
    const NAME##_layer own = *layer;                                                                         \
    for (int32_t y = row_begin; y < row_end; ++y) {                                                          \
      const IN *x = (const IN *)(const void *)ek_row(input, y);                                              \
      OUT *out = (OUT *)(void *)ek_row(output, y);                                                           \
      for (int32_t i = 0; i < own.row_elements; ++i) {                                                       \
        out[i] = (OUT)VALUE(&own, x[i]);                                                                     \
      }                                                                                                      \
    }                                                                                                        \
  }

#endif
