/* Operators of two tensors, element by element, with broadcasting. Twin: edgekit/engine/ops/_binary.py. */
#ifndef EK_BINARY_H
#define EK_BINARY_H

#include "limit.h"
#include "rows.h"

#include <stdint.h>

#define EK_LOOPS 5

/* The loops over one row of the output, innermost first. */
typedef struct {
  int32_t dimensions;
  int32_t runs; /* product of all sizes but the innermost */
  int32_t size[EK_LOOPS];
} ek_loops;

/* Where an operand's elements lie. An operand with as many rows as the output is read row by row, even from a
 * ring; any other is whole. */
typedef struct {
  int32_t follows_rows;
  int32_t row_step;       /* elements from one row of the output to the next, in a whole operand */
  int32_t step[EK_LOOPS]; /* elements from one index of a loop to the next: 0 repeats the same element */
} ek_operand;

typedef struct {
  ek_loops loops;
  ek_operand left;
  ek_operand right;
} ek_pair;

/* Bytes of an operand that belong to row y of the output. */
static inline const int8_t *ek_operand_row(const ek_operand *operand, ek_rows rows, int32_t y,
                                           int32_t bytes) {
  return ek_row(rows, operand->follows_rows ? y : 0) + y * operand->row_step * bytes;
}

/* First element of one run of the innermost loop. */
static inline int32_t ek_run_start(const ek_loops *loops, const ek_operand *operand, int32_t run) {
  int32_t start = 0;
  for (int32_t loop = 1; loop < loops->dimensions; ++loop) {
    start += run % loops->size[loop] * operand->step[loop];
    run /= loops->size[loop];
  }
  return start;
}

/* Defines kernel NAME: OUT[i] = VALUE(layer, LEFT[i], RIGHT[i]). The layer's first field is an ek_pair
 * `pair`; it is copied so that no store to the output can be taken for a change of it. */
#define EK_BINARY_KERNEL(NAME, LAYER, LEFT, RIGHT, OUT, VALUE)                                               \
  static inline void NAME(const LAYER *layer, ek_rows left, ek_rows right, ek_rows output,                   \
                          int32_t row_begin, int32_t row_end) {                                              \
    const LAYER own = *layer;                                                                                \
    const ek_pair *pair = &layer->pair;                                                                      \
    for (int32_t y = row_begin; y < row_end; ++y) {                                                          \
      const LEFT *left_row = (const LEFT *)(const void *)ek_operand_row(&pair->left, left, y, sizeof(LEFT)); \
      const RIGHT *right_row =                                                                               \
          (const RIGHT *)(const void *)ek_operand_row(&pair->right, right, y, sizeof(RIGHT));                \
      OUT *out = (OUT *)(void *)ek_row(output, y);                                                           \
      for (int32_t run = 0; run < pair->loops.runs; ++run) {                                                 \
        const LEFT *a = left_row + ek_run_start(&pair->loops, &pair->left, run);                             \
        const RIGHT *b = right_row + ek_run_start(&pair->loops, &pair->right, run);                          \
        for (int32_t i = own.pair.loops.size[0]; i > 0; --i) {                                               \
          *out++ = (OUT)VALUE(&own, *a, *b);                                                                 \
          a += own.pair.left.step[0];                                                                        \
          b += own.pair.right.step[0];                                                                       \
        }                                                                                                    \
      }                                                                                                      \
    }                                                                                                        \
  }

#endif
