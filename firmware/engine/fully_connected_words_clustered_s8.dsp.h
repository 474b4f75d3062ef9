/* FULLY_CONNECTED of int8 on Armv7E-M, weights of 16 values.
 * Twin: edgekit/engine/forms/packed/fully_connected_dsp.py. */
#ifndef EK_FULLY_CONNECTED_WORDS_CLUSTERED_S8_DSP_H
#define EK_FULLY_CONNECTED_WORDS_CLUSTERED_S8_DSP_H

#include "fully_connected_codes.dsp.h"
#include "widen.dsp.h"

typedef ek_fully_connected_codes_layer ek_fully_connected_words_clustered_s8_dsp_layer;

static inline void
ek_fully_connected_words_clustered_s8_dsp(const ek_fully_connected_words_clustered_s8_dsp_layer *layer,
                                          ek_rows input, ek_rows output, int8_t *scratch, int32_t row_begin,
                                          int32_t row_end) {
  uint32_t *table = (uint32_t *)(void *)scratch;
  ek_pair_table(layer->packed.values, layer->values, table);
  ek_fully_connected_codes(layer, ek_multiply_places, table, input, output, scratch + EK_PAIR_TABLE_BYTES,
                           row_begin, row_end);
}

#endif
