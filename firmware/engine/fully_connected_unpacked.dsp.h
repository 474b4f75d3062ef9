/* FULLY_CONNECTED of int8 on Armv7E-M, weights stored small: those of four outputs at a time are unpacked as
 * bytes. Twin: edgekit/engine/forms/packed/fully_connected_dsp.py. */
#ifndef EK_FULLY_CONNECTED_UNPACKED_DSP_H
#define EK_FULLY_CONNECTED_UNPACKED_DSP_H

#include "fully_connected_words_s8.dsp.h"
#include "packed.h"

typedef struct {
  ek_fully_connected_words_s8_dsp_layer
      words;        /* blocks: only the biases; one scale for each output of a block */
  ek_packed packed; /* the weights of one block after the other */
} ek_fully_connected_unpacked_layer;

/* input: (rows, depth); output: (rows, output_channels); scratch: one block. */
static inline void ek_fully_connected_unpacked(const ek_fully_connected_unpacked_layer *layer,
                                               ek_unpack *unpack, ek_rows input, ek_rows output,
                                               int8_t *scratch, int32_t row_begin, int32_t row_end) {
  const ek_fully_connected_words_s8_dsp_layer *words = &layer->words;
  const int32_t whole = (words->depth - 1) >> 2;
  const int32_t outputs = words->output_channels;
  int32_t *block = (int32_t *)(void *)scratch;
  for (int32_t y = row_begin; y < row_end; ++y) {
    const int8_t *x = ek_part(input, y, words->depth);
    int8_t *row = ek_row(output, y);
    ek_packed packed = layer->packed;
    for (int32_t first = 0; first < outputs; first += 4) {
      const int32_t begin = first + 4 <= outputs ? first : outputs - 4;
      memcpy(block, words->blocks + first, 16);
      packed = unpack(packed, (int8_t *)(block + 4), 16 * (whole + 1));
      ek_word_blocks work = {block,
                             x,
                             x + 4 * whole,
                             0,
                             whole & 1,
                             row + begin,
                             words->scales + begin * words->scale_step,
                             4 * words->scale_step,
                             1};
      work.last = ek_load_part(work.input_end, words->depth - 4 * whole);
      ek_multiply_word_blocks(&work);
    }
    if (words->clamps) {
      ek_clamp_bytes(row, outputs, words->activation_min, words->activation_max);
    }
  }
}

#endif
