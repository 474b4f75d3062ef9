/* SELECT_V2: one of two tensors, element by element. Twin: edgekit/engine/ops/select_v2.py. */
#ifndef EK_SELECT_V2_H
#define EK_SELECT_V2_H

#include "binary.h"

typedef struct {
  ek_loops loops;
  ek_operand condition;
  ek_operand left;
  ek_operand right;
} ek_select_v2_layer;

/* Defines kernel NAME: OUT[i] = condition[i] ? left[i] : right[i]. */
#define EK_SELECT_KERNEL(NAME, TYPE)                                                                         \
  static inline void NAME(const NAME##_layer *layer, ek_rows condition, ek_rows left, ek_rows right,         \
                          ek_rows output, int32_t row_begin, int32_t row_end) {                              \
    const ek_loops *loops = &layer->loops;                                                                   \
    for (int32_t y = row_begin; y < row_end; ++y) {                                                          \
      const int8_t *condition_row = ek_operand_row(&layer->condition, condition, y, 1);                      \
      const TYPE *left_row =                                                                                 \
          (const TYPE *)(const void *)ek_operand_row(&layer->left, left, y, sizeof(TYPE));                   \
      const TYPE *right_row =                                                                                \
          (const TYPE *)(const void *)ek_operand_row(&layer->right, right, y, sizeof(TYPE));                 \
      TYPE *out = (TYPE *)(void *)ek_row(output, y);                                                         \
      for (int32_t run = 0; run < loops->runs; ++run) {                                                      \
        const int8_t *chosen = condition_row + ek_run_start(loops, &layer->condition, run);                  \
        const TYPE *a = left_row + ek_run_start(loops, &layer->left, run);                                   \
        const TYPE *b = right_row + ek_run_start(loops, &layer->right, run);                                 \
        for (int32_t i = loops->size[0]; i > 0; --i) {                                                       \
          *out++ = *chosen ? *a : *b;                                                                        \
          chosen += layer->condition.step[0];                                                                \
          a += layer->left.step[0];                                                                          \
          b += layer->right.step[0];                                                                         \
        }                                                                                                    \
      }                                                                                                      \
    }                                                                                                        \
  }

#endif
