/* CONV_2D of int8 on Armv7E-M, weights in their own size or less: the windows of a run of pixels are gathered
 * and widened, then four output channels at a time have their weights widened and are computed for all of
 * them. Twin: edgekit/engine/cores/dsp/_runs.py. */
#ifndef EK_CONV_2D_RUNS_DSP_H
#define EK_CONV_2D_RUNS_DSP_H

#include "conv_2d_pairs.dsp.h"
#include "run_tile.dsp.h"
#include "widen.dsp.h"

typedef struct {
  ek_conv_2d_pairs_layer pairs; /* blocks: 4 biases, a byte of each shift and raise - 1, 4 multipliers; the
                                   last is of the last four channels */
  ek_packed packed;             /* the weights of one block after the other */
  int32_t values;               /* that codes stand for */
  int32_t raise;                /* see run_tile.dsp.h, and widen.dsp.h */
  int32_t rounding;             /* of shift 1 */
  int32_t run;                  /* pixels; even */
} ek_conv_2d_runs_layer;

typedef void ek_run_tile(const uint32_t *block, const uint32_t *records, const uint32_t *end, int32_t groups,
                         int8_t *output);

/* input: (input_rows, input_columns, input_channels); output: (rows, output_columns, output_channels);
 * scratch: the run, and one block. Pixels are taken along all rows, so that only the last may stand alone: it
 * is computed twice. */
static inline void ek_conv_2d_runs(const ek_conv_2d_runs_layer *layer, ek_widen *widen, const uint32_t *table,
                                   ek_run_tile *tile, ek_rows input, ek_rows output, int8_t *scratch,
                                   int32_t row_begin, int32_t row_end) {
  const ek_conv_2d_pairs_layer *pairs = &layer->pairs;
  const int32_t groups = (pairs->depth + 3) >> 2;
  const int32_t channels = pairs->output_channels;
  uint32_t *records = (uint32_t *)(void *)scratch;
  uint32_t *block = records + (layer->run >> 1) * EK_RECORD_WORDS(groups);
  int32_t left = (row_end - row_begin) * pairs->output_columns;
  ek_pixel next = ek_first_pixel(pairs, input, output, row_begin);
  while (left > 0) {
    const int32_t stop = left > layer->run ? left - layer->run : 0;
    uint32_t *end = records;
    for (; left > stop; left -= 2) {
      const ek_pixel first = next;
      const ek_pixel second = left > 1 ? ek_next_pixel(pairs, input, output, first) : first;
      ek_gather_pair(pairs, input, first, second, end);
      end += 4 * groups;
      *end++ = (uint32_t)(first.output - output.data);
      *end++ = (uint32_t)(second.output - first.output);
      next = ek_next_pixel(pairs, input, output, second);
    }
    ek_packed packed = layer->packed;
    const int32_t *scales = pairs->blocks;
    for (int32_t channel = 0; channel < channels; channel += 4, scales += 9) {
      packed = widen(packed, block + 4, groups, table);
      ek_frame_block(scales, layer->rounding, layer->raise, block, block + 4 + 8 * groups);
      tile(block, records, end, groups, output.data + (channel + 4 <= channels ? channel : channels - 4));
    }
    if (pairs->clamps) {
      for (const uint32_t *ends = records + 4 * groups; ends < end; ends += EK_RECORD_WORDS(groups)) {
        int8_t *bytes = output.data + (int32_t)ends[0];
        ek_clamp_bytes(bytes, channels, pairs->activation_min, pairs->activation_max);
        ek_clamp_bytes(bytes + (int32_t)ends[1], channels, pairs->activation_min, pairs->activation_max);
      }
    }
  }
}

#endif
