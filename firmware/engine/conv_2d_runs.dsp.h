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

/* How many pairs of neighbors from a pixel on have windows that lie inside the input, with rows of whole
 * words one behind the other, and where the first window begins; pairs is 0 where not. */
static inline ek_stretch ek_stretch_from(const ek_conv_2d_pairs_layer *layer, ek_rows input, ek_pixel first,
                                         int32_t left) {
  const ek_window_s8 *window = &layer->window;
  const int32_t channels = window->input_channels;
  const int32_t row_bytes = window->kernel_columns * channels;
  const int32_t words = (row_bytes + 3) >> 2;
  const int32_t step = window->stride_columns * channels;
  const int32_t begin = (first.x * window->stride_columns - window->pad_left) * channels;
  const int32_t behind = window->input_columns * channels - begin - step - 4 * words;
  const int32_t top = first.y * window->stride_rows - window->pad_top;
  const int32_t place = top % input.ring_rows;
  const int32_t neighbors = (layer->output_columns - first.x) >> 1;
  ek_stretch stretch = {NULL,
                        NULL,
                        step,
                        words,
                        window->kernel_rows,
                        input.row_bytes - 4 * words,
                        0,
                        0,
                        layer->output_channels};
  if ((layer->whole_rows || (row_bytes & 3) == 0) && window->dilation_rows == 1 &&
      window->dilation_columns == 1 && begin >= 0 && behind >= 0 && top >= 0 &&
      top + window->kernel_rows <= window->input_rows && place + window->kernel_rows <= input.ring_rows) {
    const int32_t inside = behind / (2 * step) + 1;
    const int32_t most = neighbors < inside ? neighbors : inside;
    stretch.pixel = input.data + place * input.row_bytes + begin;
    stretch.pairs = most < left >> 1 ? most : left >> 1;
  }
  return stretch;
}

/* Gathers a run of `left` pixels; returns the pixel behind them. records: see run_tile.dsp.h. */
static inline ek_pixel ek_gather_run(const ek_conv_2d_pairs_layer *layer, ek_rows input, ek_rows output,
                                     ek_pixel next, int32_t left, uint32_t *records) {
  const int32_t groups = (layer->depth + 3) >> 2;
  while (left > 0) {
    const ek_pixel first = next;
    ek_stretch stretch = ek_stretch_from(layer, input, first, left);
    const int32_t pixels = 2 * stretch.pairs;
    if (pixels > 0) {
      stretch.to = records;
      stretch.offset = (int32_t)(first.output - output.data);
      ek_widen_stretch(&stretch);
      records += (pixels >> 1) * EK_RECORD_WORDS(groups);
      left -= pixels;
      next.x += pixels - 1;
      next.output += (pixels - 1) * layer->output_channels;
      if (layer->pointwise) {
        next.input += (pixels - 1) * stretch.step;
      }
      next = ek_next_pixel(layer, input, output, next);
      continue;
    }
    const ek_pixel second = left > 1 ? ek_next_pixel(layer, input, output, first) : first;
    ek_gather_pair(layer, input, first, second, records);
    records[4 * groups] = (uint32_t)(first.output - output.data);
    records[4 * groups + 1] = (uint32_t)(second.output - first.output);
    records += EK_RECORD_WORDS(groups);
    left -= 2;
    next = ek_next_pixel(layer, input, output, second);
  }
  return next;
}

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
    const int32_t pixels = left < layer->run ? left : layer->run;
    const uint32_t *end = records + ((pixels + 1) >> 1) * EK_RECORD_WORDS(groups);
    next = ek_gather_run(pairs, input, output, next, pixels, records);
    left -= pixels;
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
