/* A model small enough to check by hand: two inputs of 100 and 28 bytes, two outputs of 5 and 128.
 * Like a real one it overwrites its input. */
#ifndef EK_MODEL_H
#define EK_MODEL_H

#include "model.h"

#include <stddef.h>

#define EK_MODEL_NAME "doubler"
#define EK_MODEL_SHA256 "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define EK_ENGINE "aot"
#define EK_ARENA_BYTES 272
#define EK_ENGINE_BYTES 0
#define EK_INPUT_COUNT 2
#define EK_OUTPUT_COUNT 2

#define EK_MODEL_CONSTANTS_CRC 0u

static inline uint32_t ek_model_constants_crc(uint32_t (*add)(uint32_t crc, const uint8_t *data,
                                                              uint32_t bytes)) {
  return add(0, NULL, 0);
}

static inline int ek_model_init(uint8_t *arena) {
  (void)arena;
  return 0;
}

static inline void ek_model_reset(uint8_t *arena) {
  (void)arena;
}

static inline ek_span ek_model_input(uint8_t *arena, uint32_t index) {
  const ek_span spans[2] = {{arena, 100}, {arena + 100, 28}};
  return spans[index];
}

static inline ek_span ek_model_output(uint8_t *arena, uint32_t index) {
  const ek_span spans[2] = {{arena + 128, 5}, {arena + 144, 128}};
  return spans[index];
}

/* out[i] = 2 * in[i] + i, in bytes; the first output is the first five of the second. TEST_FAULT breaks it.
 */
static inline int ek_model_invoke(uint8_t *arena) {
  for (uint32_t i = 0; i < 128; ++i) {
    arena[144 + i] = (uint8_t)(2u * arena[i] + i);
    arena[i] = 0xEE;
  }
  for (uint32_t i = 0; i < 5; ++i) {
    arena[128 + i] = arena[144 + i];
  }
#if TEST_FAULT == 1 /* one byte behind the arena */
  *((volatile uint8_t *)arena + 272) = 0;
#elif TEST_FAULT == 2 /* one byte before it */
  *((volatile uint8_t *)arena - 1) = 0;
#elif TEST_FAULT == 3
  return 17;
#endif
  return 0;
}

#endif
