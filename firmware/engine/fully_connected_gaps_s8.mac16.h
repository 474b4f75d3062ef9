/* FULLY_CONNECTED of int8 without the zeros of its weights, on the LX6. Twin:
 * edgekit/engine/forms/delta/fully_connected_mac16.py. */
#ifndef EK_FULLY_CONNECTED_GAPS_S8_MAC16_H
#define EK_FULLY_CONNECTED_GAPS_S8_MAC16_H

#include "gaps.mac16.h"
#include "requantize_sums.mac16.h"
#include "rows.h"
#include "unsigned.mac16.h"

typedef struct {
  const int8_t *weights;   /* those kept, and zeros that bridge long gaps */
  const uint8_t *gaps;     /* of each weight; of a unit's first one, from depth 0 */
  const uint16_t *counts;  /* (units): how many weights each has */
  const int32_t *channels; /* (units, EK_CHANNEL_WORDS) */
  ek_activations_mac16 to; /* its step is the number of units */
  int32_t depth;
  int32_t vectors;  /* in a row */
  int32_t by_words; /* 1: vectors are aligned words */
} ek_fully_connected_gaps_s8_mac16_layer;

/* input: (rows, vectors, depth); output: (rows, vectors, units); scratch: (depth) bytes. */
static inline void ek_fully_connected_gaps_s8_mac16(const ek_fully_connected_gaps_s8_mac16_layer *layer,
                                                    ek_rows input, ek_rows output, int8_t *scratch,
                                                    int32_t row_begin, int32_t row_end) {
  uint8_t *vector = (uint8_t *)scratch;
  for (int32_t y = row_begin; y < row_end; ++y) {
    const int8_t *from = ek_part(input, y, layer->vectors * layer->depth);
    int8_t *to = ek_row(output, y);
    for (int32_t vectors = layer->vectors; vectors > 0; --vectors, from += layer->depth) {
      ek_unsigned_mac16(vector, from, layer->depth, layer->by_words);
      ek_gaps kept = {layer->gaps, layer->weights};
      const int32_t *channel = layer->channels;
      for (int32_t unit = 0; unit < layer->to.step; ++unit, channel += EK_CHANNEL_WORDS) {
        const int32_t sum = ek_gaps_sum_mac16(&kept, layer->counts[unit], vector, channel[0]);
        ek_requantize_mac16(channel, &layer->to, &sum, 1, to++);
      }
    }
  }
}

#endif
