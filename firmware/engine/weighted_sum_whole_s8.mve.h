/* ADD and SUB of int8 tensors of one shape, four elements at a time; see weighted_sum_s8.h.
 * Twin: edgekit/engine/cores/mve/_sum.py. */
#ifndef EK_WEIGHTED_SUM_WHOLE_S8_MVE_H
#define EK_WEIGHTED_SUM_WHOLE_S8_MVE_H

#include "requantize.h"
#include "rows.h"

typedef struct {
  int32_t row_elements;
  int32_t left_weight;
  int32_t right_weight;
  int32_t offset;
  int32_t shift;
  int32_t activation_min;
  int32_t activation_max;
} ek_weighted_sum_whole_s8_mve_layer;

#if defined(__ARM_FEATURE_MVE)

static inline void ek_weighted_sums_mve(const ek_weighted_sum_whole_s8_mve_layer *layer, const int8_t *left,
                                        const int8_t *right, int8_t *output) {
  int32_t once;
  /* What is used once comes by its place in the layer: callers hold so many values that not all fit
   * registers. */
  __asm__ volatile("ldr %[once], [%[layer], #4]\n" /* left_weight */
                   "vdup.32 q2, %[once]\n"
                   "ldr %[once], [%[layer], #20]\n" /* activation_min */
                   "vdup.32 q3, %[once]\n"
                   "ldr %[once], [%[layer], #24]\n" /* activation_max */
                   "vdup.32 q4, %[once]\n"
                   "ldr %[once], [%[layer]]\n" /* row_elements */
                   "wlstp.32 lr, %[once], 2f\n"
                   "1:\n"
                   "vldrb.s32 q0, [%[left]], #4\n"
                   "vmlas.s32 q0, q2, %[offset]\n"
                   "vldrb.s32 q1, [%[right]], #4\n"
                   "vmla.s32 q0, q1, %[right_weight]\n"
                   "vshl.s32 q0, %[shift]\n"
                   "vmax.s32 q0, q0, q3\n"
                   "vmin.s32 q0, q0, q4\n"
                   "vstrb.32 q0, [%[output]], #4\n"
                   "letp lr, 1b\n"
                   "2:\n"
                   : [left] "+l"(left), [right] "+l"(right), [output] "+l"(output), [once] "=&r"(once)
                   : [layer] "r"(layer), [right_weight] "r"(layer->right_weight), [offset] "r"(layer->offset),
                     [shift] "r"(-layer->shift)
                   : "q0", "q1", "q2", "q3", "q4", "lr", "cc", "memory");
}

#else

static inline void ek_weighted_sums_mve(const ek_weighted_sum_whole_s8_mve_layer *layer, const int8_t *left,
                                        const int8_t *right, int8_t *output) {
  for (int32_t i = 0; i < layer->row_elements; ++i) {
    const int32_t sum = left[i] * layer->left_weight + layer->offset + right[i] * layer->right_weight;
    output[i] = ek_clamp(sum >> layer->shift, layer->activation_min, layer->activation_max);
  }
}

#endif

/* left, right, output: (rows, row_elements). */
static inline void ek_weighted_sum_whole_s8_mve(const ek_weighted_sum_whole_s8_mve_layer *layer, ek_rows left,
                                                ek_rows right, ek_rows output, int32_t row_begin,
                                                int32_t row_end) {
  for (int32_t y = row_begin; y < row_end; ++y) {
    ek_weighted_sums_mve(layer, ek_row(left, y), ek_row(right, y), ek_row(output, y));
  }
}

#endif
