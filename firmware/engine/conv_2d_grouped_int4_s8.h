/* CONV_2D with groups, or with outputs that are scaled up, of weights of 4 bits: all of them are unpacked
 * once. Twin: edgekit/engine/forms/packed/conv_2d.py. */
#ifndef EK_CONV_2D_GROUPED_INT4_S8_H
#define EK_CONV_2D_GROUPED_INT4_S8_H

#include "conv_2d_grouped_s8.h"
#include "unpack_int4.h"

typedef struct {
  ek_conv_2d_grouped_s8_layer dense; /* without weights */
  ek_packed packed;                  /* one unit: the weights of all groups */
  int32_t count;                     /* of weights */
} ek_conv_2d_grouped_int4_s8_layer;

/* As of conv_2d_grouped_s8.h; scratch: (count) bytes, and those that it has there. */
static inline void ek_conv_2d_grouped_int4_s8(const ek_conv_2d_grouped_int4_s8_layer *layer, ek_rows input,
                                              ek_rows output, int8_t *scratch, int32_t row_begin,
                                              int32_t row_end) {
  ek_conv_2d_grouped_s8_layer dense = layer->dense;
  dense.matrix.weights = scratch;
  ek_unpack_int4(layer->packed, scratch, layer->count);
  ek_conv_2d_grouped_s8(&dense, input, output, scratch + layer->count, row_begin, row_end);
}

#endif
