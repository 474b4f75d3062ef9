/* DEPTHWISE_CONV_2D with a 3x3 window of packed weights: all of them are unpacked once.
 * Twin: edgekit/engine/forms/packed/depthwise_conv_2d.py. */
#ifndef EK_DEPTHWISE_CONV_2D_3X3_PACKED_S8_H
#define EK_DEPTHWISE_CONV_2D_3X3_PACKED_S8_H

#include "depthwise_conv_2d_3x3_s8.h"
#include "packed.h"

typedef struct {
  ek_depthwise_conv_2d_3x3_s8_layer dense; /* without weights */
  ek_packed packed;                        /* one unit: (channels, 3, 3) */
  int32_t count;                           /* of weights */
} ek_depthwise_conv_2d_3x3_packed_s8_layer;

/* input: (input_rows, input_columns, channels); output: (rows, output_columns, channels); scratch: (channels,
 * 3, 3) bytes. */
static inline void ek_depthwise_conv_2d_3x3_packed_s8(const ek_depthwise_conv_2d_3x3_packed_s8_layer *layer,
                                                      ek_unpack *unpack, ek_rows input, ek_rows output,
                                                      int8_t *scratch, int32_t row_begin, int32_t row_end) {
  ek_depthwise_conv_2d_3x3_s8_layer dense = layer->dense;
  dense.weights = scratch;
  unpack(layer->packed, scratch, layer->count);
  ek_depthwise_conv_2d_3x3_s8(&dense, input, output, row_begin, row_end);
}

#endif
