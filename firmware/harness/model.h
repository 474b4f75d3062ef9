/* What the emitted `ek_model.h` shares with the harness. */
#ifndef EK_HARNESS_MODEL_H
#define EK_HARNESS_MODEL_H

#include <stdint.h>

/* A tensor's bytes in the arena. */
typedef struct {
  uint8_t *data;
  uint32_t bytes;
} ek_span;

#endif
