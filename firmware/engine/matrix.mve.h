/* One or two vectors of activations times a weight matrix, 16 products an instruction.
 *
 * Weights lie in groups of four output channels: of each channel 16 weights, of each the next 16, and so on,
 * then of each channel the depth % 16 that are left. The last output_channels % 4 channels are a smaller
 * group. Behind the last weight 15 bytes may be read.
 * Scales, for each group: four biases, four multipliers, four shifts of a byte, all <= 0. */
#ifndef EK_MATRIX_MVE_H
#define EK_MATRIX_MVE_H

#include "requantize.h"

#include <stdint.h>

#define EK_GROUP_WORDS_MVE 9

typedef struct {
  const int8_t *weights;
  const int32_t *scales; /* (groups, 9) */
  int32_t depth;
  int32_t output_channels;
  int32_t rounds_negatives; /* 0: the clamp hides how negative values are rounded */
  int32_t output_zero_point;
  int32_t activation_min;
  int32_t activation_max;
} ek_matrix_mve;

/* What the code below reads, in an order that it can load at once. */
typedef struct {
  int8_t *output[2];
  int32_t output_zero_point;
  const int32_t *scales_end; /* of the whole groups */
  int32_t rounds_negatives;
  const int8_t *input;
  int32_t blocks; /* depth / 16 */
  const int8_t *second_input;
  int32_t rest; /* depth % 16 */
  const int8_t *weights;
  const int32_t *scales;
  int32_t channels_left; /* output_channels % 4 */
  int32_t activation_min;
  int32_t activation_max;
} ek_tile_mve;

static inline ek_tile_mve ek_tile_of_mve(const ek_matrix_mve *matrix) {
  ek_tile_mve tile;
  tile.output[0] = tile.output[1] = (int8_t *)0;
  tile.input = tile.second_input = (const int8_t *)0;
  tile.output_zero_point = matrix->output_zero_point;
  tile.scales_end = matrix->scales + matrix->output_channels / 4 * EK_GROUP_WORDS_MVE;
  tile.rounds_negatives = matrix->rounds_negatives;
  tile.blocks = matrix->depth / 16;
  tile.rest = matrix->depth % 16;
  tile.weights = matrix->weights;
  tile.scales = matrix->scales;
  tile.channels_left = matrix->output_channels % 4;
  tile.activation_min = matrix->activation_min;
  tile.activation_max = matrix->activation_max;
  return tile;
}

#if defined(__ARM_FEATURE_MVE)

/* Accumulators: r0, r2, r4, r6 of the first vector, r8, r10, r12, lr of the second: only even registers can
 * be. r1: weights, r3, r9: vectors, r7: what is left of the depth, r5: scales, r11: behind the first five
 * fields of the tile. q6, q7: the clamp. */
#define EK_ENTER_MVE                                                                                         \
  "push {r4-r11, lr}\n"                                                                                      \
  "vpush {d8-d15}\n"                                                                                         \
  "add r11, r0, #20\n"                                                                                       \
  "ldrd r1, r5, [r11, #16]\n"                                                                                \
  "ldrd r2, r3, [r11, #28]\n"                                                                                \
  "vdup.32 q6, r2\n"                                                                                         \
  "vdup.32 q7, r3\n"                                                                                         \
  "ldr r2, [r11, #-8]\n"                                                                                     \
  "cmp r2, r5\n"                                                                                             \
  "beq 8f\n"                                                                                                 \
  "1:\n"

#define EK_LEAVE_MVE                                                                                         \
  "9:\n"                                                                                                     \
  "vpop {d8-d15}\n"                                                                                          \
  "pop {r4-r11, pc}\n"

#define EK_COPY_BIAS_MVE "mov r8, r0\nmov r10, r2\nmov r12, r4\nmov lr, r6\n"
#define EK_BIAS_MVE "ldmia r11, {r3, r7, r9}\nldrd r0, r2, [r5], #8\nldrd r4, r6, [r5], #8\n"

/* Sixteen products, or those of the rest, for one channel and one or two vectors. */
#define EK_MAC_1_MVE(q, a, b) "vldrb.8 " q ", [r1], #16\nvmladava.s8 " a ", " q ", q4\n"
#define EK_MAC_2_MVE(q, a, b) EK_MAC_1_MVE(q, a, b) "vmladava.s8 " b ", " q ", q5\n"
#define EK_REST_1_MVE(q, a, b) "vldrb.8 " q ", [r1]\nadd r1, r7\nvmladava.s8 " a ", " q ", q4\n"
#define EK_REST_2_MVE(q, a, b) EK_REST_1_MVE(q, a, b) "vmladava.s8 " b ", " q ", q5\n"
#define EK_LOAD_1_MVE "vldrb.8 q4, [r3], #16\n"
#define EK_LOAD_2_MVE EK_LOAD_1_MVE "vldrb.8 q5, [r9], #16\n"
#define EK_LOAD_REST_1_MVE "vpst\nvldrbt.8 q4, [r3]\n"
#define EK_LOAD_REST_2_MVE "vpstt\nvldrbt.8 q4, [r3]\nvldrbt.8 q5, [r9]\n"

#define EK_ROWS_1_MVE(step) step("q0", "r0", "r8")
#define EK_ROWS_2_MVE(step) EK_ROWS_1_MVE(step) step("q1", "r2", "r10")
#define EK_ROWS_3_MVE(step) EK_ROWS_2_MVE(step) step("q2", "r4", "r12")
#define EK_ROWS_4_MVE(step) EK_ROWS_3_MVE(step) step("q3", "r6", "lr")

/* The whole depth of as many channels as `rows` goes over. */
#define EK_SUMS_MVE(rows, load, mac, load_rest, rest)                                                        \
  "cbz r7, 3f\n"                                                                                             \
  "2:\n" load                                                                                                \
  rows(mac) "subs r7, #1\n"                                                                                  \
            "bne 2b\n"                                                                                       \
            "3:\n"                                                                                           \
            "ldr r7, [r11, #12]\n"                                                                           \
            "cbz r7, 4f\n"                                                                                   \
            "vctp.8 r7\n" load_rest                                                                          \
            rows(rest) "4:\n"

/* Sums become activations: q0 of the first vector, q1 of the second. r0, r2: outputs; r6: end of scales. */
#define EK_GATHER_1_MVE "vmov q0[2], q0[0], r0, r4\nvmov q0[3], q0[1], r2, r6\n"
#define EK_GATHER_2_MVE EK_GATHER_1_MVE "vmov q1[2], q1[0], r8, r12\nvmov q1[3], q1[1], r10, lr\n"
#define EK_MULTIPLY_MVE(q) "vqrdmulh.s32 " q ", " q ", q2\n"
#define EK_NEGATIVE_MVE(q) "vand q4, " q ", q3\nvshr.s32 q4, q4, #31\nvadd.i32 " q ", " q ", q4\n"
#define EK_SHIFT_MVE(q)                                                                                      \
  "vrshl.s32 " q ", " q ", q3\nvadd.i32 " q ", " q ", r4\nvmax.s32 " q ", " q ", q6\nvmin.s32 " q ", " q     \
  ", q7\n"
#define EK_BOTH_1_MVE(step) step("q0")
#define EK_BOTH_2_MVE(step) step("q0") step("q1")
#define EK_SCALE_MVE(gather, both)                                                                           \
  gather "ldmdb r11, {r0, r2, r4, r6, r7}\n"                                                                 \
         "vldrw.32 q2, [r5], #16\n"                                                                          \
         "vldrb.s32 q3, [r5], #4\n" both(EK_MULTIPLY_MVE) "cbz r7, 5f\n" both(EK_NEGATIVE_MVE) "5:\n" both(  \
             EK_SHIFT_MVE)

#define EK_GROUP_1_MVE(rows)                                                                                 \
  EK_BIAS_MVE                                                                                                \
  EK_SUMS_MVE(rows, EK_LOAD_1_MVE, EK_MAC_1_MVE, EK_LOAD_REST_1_MVE, EK_REST_1_MVE)                          \
  EK_SCALE_MVE(EK_GATHER_1_MVE, EK_BOTH_1_MVE)
#define EK_GROUP_2_MVE(rows)                                                                                 \
  EK_BIAS_MVE EK_COPY_BIAS_MVE EK_SUMS_MVE(rows, EK_LOAD_2_MVE, EK_MAC_2_MVE, EK_LOAD_REST_2_MVE,            \
                                           EK_REST_2_MVE) EK_SCALE_MVE(EK_GATHER_2_MVE, EK_BOTH_2_MVE)

/* Whether there are channels behind the whole groups, and how many. */
#define EK_LEFT_MVE                                                                                          \
  "8:\n"                                                                                                     \
  "ldr r0, [r11, #24]\n"                                                                                     \
  "cmp r0, #2\n"                                                                                             \
  "blo 6f\n"                                                                                                 \
  "beq 7f\n"
#define EK_STORE_LEFT_1_MVE(count) "movs r7, #" count "\nvctp.32 r7\nvpst\nvstrbt.32 q0, [r0]\n"
#define EK_STORE_LEFT_2_MVE(count)                                                                           \
  "movs r7, #" count "\nvctp.32 r7\nvpstt\nvstrbt.32 q0, [r0]\nvstrbt.32 q1, [r2]\n"
#define EK_ALL_LEFT_MVE(group, store)                                                                        \
  EK_LEFT_MVE                                                                                                \
  group(EK_ROWS_3_MVE) store("3") "b 9f\n"                                                                   \
                                  "7:\n" group(EK_ROWS_2_MVE) store("2") "b 9f\n"                            \
                                                                         "6:\n"                              \
                                                                         "cmp r0, #0\n"                      \
                                                                         "beq 9f\n" group(EK_ROWS_1_MVE)     \
                                                                             store("1")

/* Defines NAME(tile): one vector times the matrix; changes the tile. */
#define EK_MATRIX_ONE_MVE(NAME, GROUP)                                                                       \
  __attribute__((naked, noinline, unused)) static void NAME(ek_tile_mve *tile __attribute__((unused))) {     \
    __asm__ volatile(EK_ENTER_MVE GROUP(EK_ROWS_4_MVE) "vstrb.32 q0, [r0], #4\n"                             \
                                                       "str r0, [r11, #-20]\n"                               \
                                                       "cmp r5, r6\n"                                        \
                                                       "bne 1b\n" EK_ALL_LEFT_MVE(                           \
                                                           GROUP, EK_STORE_LEFT_1_MVE) EK_LEAVE_MVE);        \
  }

/* The same with two vectors. */
#define EK_MATRIX_TWO_MVE(NAME, GROUP)                                                                       \
  __attribute__((naked, noinline, unused)) static void NAME(ek_tile_mve *tile __attribute__((unused))) {     \
    __asm__ volatile(EK_ENTER_MVE GROUP(EK_ROWS_4_MVE) "vstrb.32 q0, [r0], #4\n"                             \
                                                       "vstrb.32 q1, [r2], #4\n"                             \
                                                       "strd r0, r2, [r11, #-20]\n"                          \
                                                       "cmp r5, r6\n"                                        \
                                                       "bne 1b\n" EK_ALL_LEFT_MVE(                           \
                                                           GROUP, EK_STORE_LEFT_2_MVE) EK_LEAVE_MVE);        \
  }

EK_MATRIX_ONE_MVE(ek_matrix_one_mve, EK_GROUP_1_MVE)
EK_MATRIX_TWO_MVE(ek_matrix_two_mve, EK_GROUP_2_MVE)

#else

/* Adds up the products of a vector and some channels; returns the weights behind. */
typedef const int8_t *ek_add_products_mve(const ek_tile_mve *tile, const int8_t *x, const int8_t *weights,
                                          int32_t channels, int32_t sums[4]);

static inline const int8_t *ek_add_all_mve(const ek_tile_mve *tile, const int8_t *x, const int8_t *weights,
                                           int32_t channels, int32_t sums[4]) {
  for (int32_t block = 0; block <= tile->blocks; ++block, x += 16) {
    const int32_t depth = block < tile->blocks ? 16 : tile->rest;
    for (int32_t channel = 0; channel < channels; ++channel) {
      for (int32_t i = 0; i < depth; ++i) {
        sums[channel] += x[i] * *weights++;
      }
    }
  }
  return weights;
}

/* The same in plain C, for one vector. */
static inline void ek_matrix_vector_mve(const ek_tile_mve *tile, ek_add_products_mve *add, int32_t vector) {
  const int8_t *weights = tile->weights;
  const int32_t *scales = tile->scales;
  int8_t *output = tile->output[vector];
  for (;;) {
    const int32_t channels = scales == tile->scales_end ? tile->channels_left : 4;
    if (channels == 0) {
      return;
    }
    int32_t sums[4] = {scales[0], scales[1], scales[2], scales[3]};
    weights = add(tile, vector == 0 ? tile->input : tile->second_input, weights, channels, sums);
    for (int32_t channel = 0; channel < channels; ++channel) {
      const int32_t shift = ((const int8_t *)(scales + 8))[channel];
      const int32_t high = ek_multiply_high(sums[channel], scales[4 + channel]);
      const int32_t half = shift < 0 ? (1 << (-shift - 1)) : 0;
      const int32_t fix = tile->rounds_negatives && shift < 0 && high < 0 ? 1 : 0;
      const int32_t scaled = (int32_t)(((int64_t)high - fix + half) >> -shift);
      *output++ = ek_clamp(scaled + tile->output_zero_point, tile->activation_min, tile->activation_max);
    }
    if (scales == tile->scales_end) {
      return;
    }
    scales += EK_GROUP_WORDS_MVE;
  }
}

static inline void ek_matrix_one_mve(ek_tile_mve *tile) {
  ek_matrix_vector_mve(tile, ek_add_all_mve, 0);
}

static inline void ek_matrix_two_mve(ek_tile_mve *tile) {
  ek_matrix_vector_mve(tile, ek_add_all_mve, 0);
  ek_matrix_vector_mve(tile, ek_add_all_mve, 1);
}

#endif

typedef void ek_matrix_times_mve(ek_tile_mve *tile);

#endif
