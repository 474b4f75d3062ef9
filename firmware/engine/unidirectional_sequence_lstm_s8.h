/* UNIDIRECTIONAL_SEQUENCE_LSTM, int8 activations and weights, int32 biases, int16 cell state.
 * Twin: edgekit/engine/ops/unidirectional_sequence_lstm.py.
 *
 * The weights of the four gates (input, forget, candidate, output) are interleaved, so that an activation,
 * once loaded, serves four products. The new hidden state grows in the output while the old one is still
 * read. */
#ifndef EK_UNIDIRECTIONAL_SEQUENCE_LSTM_S8_H
#define EK_UNIDIRECTIONAL_SEQUENCE_LSTM_S8_H

#include "requantize.h"
#include "requantize_s16.h"
#include "rows.h"
#include "sigmoid_s16.h"

#include <string.h>

typedef struct {
  int32_t multiplier;
  int32_t shift;
} ek_lstm_factor;

typedef struct {
  const int8_t *weights; /* (units, depth, 4 gates) */
  const int32_t *bias;   /* (units, 4 gates), the zero point folded in */
  int32_t multiplier[4]; /* to Q3.12 */
  int32_t shift[4];
  int32_t depth;
} ek_lstm_matrix;

typedef struct {
  ek_lstm_matrix input;
  ek_lstm_matrix hidden;
  ek_lstm_factor keep;   /* forget gate times cell */
  ek_lstm_factor add;    /* input gate times candidate */
  ek_lstm_factor output; /* output gate times tanh of the cell */
  int32_t output_zero_point;
  int32_t cell_clip;       /* 32768 where nothing is clipped */
  int32_t tanh_multiplier; /* of the cell */
  int32_t tanh_shift;      /* to the right */
  int32_t units;
  int32_t vectors;          /* in a row */
  int32_t rows_are_batches; /* 1: a row is a batch, a vector in it a time; 0: the other way round */
} ek_unidirectional_sequence_lstm_s8_layer;

static inline int32_t ek_lstm_scale(int32_t value, ek_lstm_factor factor, int32_t zero_point) {
  return ek_requantize(value, factor.multiplier, factor.shift) + zero_point;
}

/* Adds one vector's part to the four gates of one unit, Q3.12. */
static inline void ek_lstm_gates(const ek_lstm_matrix *matrix, const int8_t *vector, int32_t unit,
                                 int32_t gates[4]) {
  const int8_t *weights = matrix->weights + 4 * unit * matrix->depth;
  const int32_t *bias = matrix->bias + 4 * unit;
  int32_t sums[4] = {bias[0], bias[1], bias[2], bias[3]};
  for (const int8_t *x = vector; x != vector + matrix->depth; ++x, weights += 4) {
    sums[0] += *x * weights[0];
    sums[1] += *x * weights[1];
    sums[2] += *x * weights[2];
    sums[3] += *x * weights[3];
  }
  for (int32_t gate = 0; gate < 4; ++gate) {
    const int32_t scaled = ek_requantize(sums[gate], matrix->multiplier[gate], matrix->shift[gate]);
    gates[gate] =
        ek_clamp_s16(gates[gate] + ek_clamp_s16(scaled, INT16_MIN, INT16_MAX), INT16_MIN, INT16_MAX);
  }
}

/* The new cell state of one unit. */
static inline int32_t ek_lstm_cell(const ek_unidirectional_sequence_lstm_s8_layer *layer,
                                   const int32_t gates[4], int32_t cell) {
  const int32_t kept = ek_lstm_scale(ek_sigmoid_s16(3 * gates[1]) * cell, layer->keep, 0);
  const int32_t candidate = ek_sigmoid_s16(3 * gates[0]) * ek_tanh_s16(3 * gates[2]);
  const int32_t added = ek_lstm_scale(candidate, layer->add, 0);
  const int32_t sum = ek_clamp_s16(kept, INT16_MIN, INT16_MAX) + ek_clamp_s16(added, INT16_MIN, INT16_MAX);
  const int32_t held = ek_clamp_s16(sum, INT16_MIN, INT16_MAX);
  const int32_t above = held < -layer->cell_clip ? -layer->cell_clip : held;
  return above > layer->cell_clip ? layer->cell_clip : above;
}

/* One time of one batch. input: (input depth); hidden, cell: (units), updated; output: (units). */
static inline void ek_lstm_step(const ek_unidirectional_sequence_lstm_s8_layer *layer, const int8_t *input,
                                int8_t *hidden, int16_t *cell, int8_t *output) {
  const int32_t round = layer->tanh_shift > 0 ? 1 << (layer->tanh_shift - 1) : 0;
  for (int32_t unit = 0; unit < layer->units; ++unit) {
    int32_t gates[4] = {0, 0, 0, 0};
    ek_lstm_gates(&layer->input, input, unit, gates);
    ek_lstm_gates(&layer->hidden, hidden, unit, gates);
    const int32_t state = ek_lstm_cell(layer, gates, cell[unit]);
    cell[unit] = (int16_t)state;
    const int32_t bent = ek_tanh_s16((state * layer->tanh_multiplier + round) >> layer->tanh_shift);
    const int32_t product = bent * ek_sigmoid_s16(3 * gates[3]);
    output[unit] =
        ek_clamp(ek_lstm_scale(product, layer->output, layer->output_zero_point), INT8_MIN, INT8_MAX);
  }
  memcpy(hidden, output, (size_t)layer->units);
}

/* input: (rows, vectors, input depth); output: (rows, vectors, units); hidden: (batches, units) int8; cell:
 * (batches, units) int16. Rows have to come in order, as the states do. */
static inline void ek_unidirectional_sequence_lstm_s8(const ek_unidirectional_sequence_lstm_s8_layer *layer,
                                                      ek_rows input, ek_rows output, ek_rows hidden,
                                                      ek_rows cell, int32_t row_begin, int32_t row_end) {
  int16_t *cells = (int16_t *)(void *)cell.data;
  for (int32_t y = row_begin; y < row_end; ++y) {
    for (int32_t i = 0; i < layer->vectors; ++i) {
      const int32_t state = (layer->rows_are_batches ? y : i) * layer->units;
      ek_lstm_step(layer, ek_row(input, y) + i * layer->input.depth, hidden.data + state, cells + state,
                   ek_row(output, y) + i * layer->units);
    }
  }
}

#endif
