/* FULLY_CONNECTED of int8 on Armv7E-M, weights as prefix codes.
 * Twin: edgekit/engine/forms/packed/fully_connected_dsp.py. */
#ifndef EK_FULLY_CONNECTED_WORDS_PREFIX_S8_DSP_H
#define EK_FULLY_CONNECTED_WORDS_PREFIX_S8_DSP_H

#include "fully_connected_unpacked.dsp.h"
#include "unpack_prefix.h"

typedef ek_fully_connected_unpacked_layer ek_fully_connected_words_prefix_s8_dsp_layer;

static inline void
ek_fully_connected_words_prefix_s8_dsp(const ek_fully_connected_words_prefix_s8_dsp_layer *layer,
                                       ek_rows input, ek_rows output, int8_t *scratch, int32_t row_begin,
                                       int32_t row_end) {
  ek_fully_connected_unpacked(layer, ek_unpack_prefix, input, output, scratch, row_begin, row_end);
}

#endif
