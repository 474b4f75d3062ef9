/* Copies a box of elements from one tensor into another, each with strides of its own. Nearly every operator
 * that only moves what it gets is one or a few of these. Twin: edgekit/engine/ops/_copy.py. */
#ifndef EK_STRIDED_COPY_H
#define EK_STRIDED_COPY_H

#include "rows.h"

#include <stdint.h>
#include <string.h>

#define EK_COPY_LOOPS 5
/* Below this many bytes a loop is faster than a call of memcpy. */
#define EK_COPY_SHORT_RUN 8

/* Strides, steps and offsets are in bytes; those of the input may be negative or 0. */
typedef struct {
  int32_t element_bytes;
  int32_t run_bytes;   /* contiguous in both tensors */
  int32_t loops;       /* of runs in an output row, up to EK_COPY_LOOPS; 0 where one run is all */
  const int32_t *loop; /* (loops, 3): count, input step, output step; the innermost last */
  int32_t row_first;   /* output rows row_first + k * row_step, 0 <= k < row_count, are written */
  int32_t row_count;
  int32_t row_step;
  int32_t output_offset;  /* in each of them */
  int32_t input_row;      /* they come from input rows input_row + k * input_row_step, */
  int32_t input_row_step; /* 0 where the copy reads across rows: then the input has to be whole */
  int32_t input_offset;   /* at input_offset + k * input_stride in those */
  int32_t input_stride;
  int32_t fill_first; /* rows [fill_first, fill_first + fill_count) are first filled with fill_value */
  int32_t fill_count;
  int32_t fill_value;
} ek_strided_copy_layer;

static inline void ek_fill_row(int8_t *row, int32_t bytes, int32_t element_bytes, int32_t value) {
  if (element_bytes == 1) {
    memset(row, value, (size_t)bytes);
    return;
  }
  for (int32_t i = 0; i < bytes; i += element_bytes) {
    if (element_bytes == 2) {
      const int16_t narrow = (int16_t)value;
      memcpy(row + i, &narrow, sizeof narrow);
    } else {
      const int64_t wide = value;
      memcpy(row + i, &wide, (size_t)element_bytes); /* little-endian */
    }
  }
}

/* `count` runs, each a step behind the one before. */
static inline void ek_copy_runs(const int8_t *from, int8_t *to, int32_t count, int32_t from_step,
                                int32_t to_step, int32_t run_bytes) {
  if (run_bytes == 1) {
    for (int32_t i = 0; i < count; ++i) {
      to[i * to_step] = from[i * from_step];
    }
  } else if (run_bytes == 2) {
    for (int32_t i = 0; i < count; ++i) {
      memcpy(to + i * to_step, from + i * from_step, 2);
    }
  } else if (run_bytes == 4) {
    for (int32_t i = 0; i < count; ++i) {
      memcpy(to + i * to_step, from + i * from_step, 4);
    }
  } else if (run_bytes < EK_COPY_SHORT_RUN) {
    for (int32_t i = 0; i < count; ++i) {
      for (int32_t byte = 0; byte < run_bytes; ++byte) {
        to[i * to_step + byte] = from[i * from_step + byte];
      }
    }
  } else {
    for (int32_t i = 0; i < count; ++i) {
      memcpy(to + i * to_step, from + i * from_step, (size_t)run_bytes);
    }
  }
}

/* The runs of one output row. */
static inline void ek_copy_row(const ek_strided_copy_layer *layer, const int8_t *from, int8_t *to) {
  if (layer->loops == 0) {
    memcpy(to, from, (size_t)layer->run_bytes);
    return;
  }
  const int32_t innermost = layer->loops - 1;
  const int32_t *runs = layer->loop + 3 * innermost;
  int32_t index[EK_COPY_LOOPS] = {0};
  int32_t from_offset = 0;
  int32_t to_offset = 0;
  int32_t loop = innermost;
  while (loop >= 0) {
    ek_copy_runs(from + from_offset, to + to_offset, runs[0], runs[1], runs[2], layer->run_bytes);
    for (loop = innermost - 1; loop >= 0; --loop) {
      const int32_t *outer = layer->loop + 3 * loop;
      from_offset += outer[1];
      to_offset += outer[2];
      if (++index[loop] < outer[0]) {
        break;
      }
      from_offset -= outer[1] * outer[0];
      to_offset -= outer[2] * outer[0];
      index[loop] = 0;
    }
  }
}

/* input: whole, or its rows where input_row_step is not 0; output: (rows, row_bytes). */
static inline void ek_strided_copy(const ek_strided_copy_layer *layer, ek_rows input, ek_rows output,
                                   int32_t row_begin, int32_t row_end) {
  const int32_t before = row_begin - layer->row_first;
  int32_t k = before <= 0 ? 0 : (before + layer->row_step - 1) / layer->row_step;
  for (int32_t y = row_begin; y < row_end; ++y) {
    if (y >= layer->fill_first && y < layer->fill_first + layer->fill_count) {
      ek_fill_row(ek_row(output, y), output.row_bytes, layer->element_bytes, layer->fill_value);
    }
    if (k < layer->row_count && y == layer->row_first + k * layer->row_step) {
      const int8_t *row = ek_row(input, layer->input_row + k * layer->input_row_step);
      ek_copy_row(layer, row + layer->input_offset + k * layer->input_stride,
                  ek_row(output, y) + layer->output_offset);
      ++k;
    }
  }
}

#endif
