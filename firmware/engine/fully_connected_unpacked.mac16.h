/* FULLY_CONNECTED of int8 on the LX6, whose weights are unpacked unit by unit. Twin:
 * edgekit/engine/forms/packed/fully_connected_mac16.py. */
#ifndef EK_FULLY_CONNECTED_UNPACKED_MAC16_H
#define EK_FULLY_CONNECTED_UNPACKED_MAC16_H

#include "narrow.mac16.h"
#include "packed.h"
#include "requantize_sums.mac16.h"
#include "rows.h"
#include "widen.mac16.h"

typedef struct {
  ek_packed packed;        /* (units, 4 * quads), each four in the order in which they are widened */
  const int32_t *channels; /* (units, EK_COMPACT_WORDS) */
  ek_activations_mac16 to; /* its step is the number of units */
  int32_t depth;
  int32_t quads;    /* a fourth of the depth, rounded up */
  int32_t by_words; /* 1: vectors are aligned words, whose bytes change places */
} ek_fully_connected_packed_mac16_layer;

/* input: (rows, depth); output: (rows, units); scratch: a unit of 4 * quads bytes and
 * (4 * quads + 2) int16, aligned to 4 bytes. */
static inline void ek_fully_connected_unpacked_mac16(const ek_fully_connected_packed_mac16_layer *layer,
                                                     ek_unpack *unpack, ek_rows input, ek_rows output,
                                                     int8_t *scratch, int32_t row_begin, int32_t row_end) {
  int32_t *unit = (int32_t *)(void *)scratch;
  int16_t *vector = (int16_t *)(void *)(unit + layer->quads);
  for (int32_t y = row_begin; y < row_end; ++y) {
    const int8_t *from = ek_part(input, y, layer->depth);
    int8_t *to = ek_row(output, y);
    ek_packed packed = layer->packed;
    const int32_t *compact = layer->channels;
    ek_widen_vector_mac16(vector, from, layer->depth, layer->quads, layer->by_words);
    for (int32_t units = layer->to.step; units > 0; --units) {
      packed = unpack(packed, (int8_t *)unit, 4 * layer->quads);
      int32_t channel[EK_CHANNEL_WORDS];
      ek_unfold_channel_mac16(compact, &layer->to, channel);
      const int32_t sum = ek_narrow_dot_mac16(channel[0], vector, unit, layer->quads);
      ek_requantize_mac16(channel, &layer->to, &sum, 1, to++);
      compact += EK_COMPACT_WORDS;
    }
  }
}

#endif
