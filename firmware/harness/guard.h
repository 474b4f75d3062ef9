/* The arena between its canaries, and the painted stack. */
#ifndef EK_GUARD_H
#define EK_GUARD_H

#include <stdint.h>

#define EK_CANARY_BYTES 16u

/* Bits of ek_guard_check. */
#define EK_GUARD_ARENA_LOW 1u
#define EK_GUARD_ARENA_HIGH 2u
#define EK_GUARD_STACK 4u

#define EK_STACK_UNKNOWN 0xFFFFFFFFu

/* Writes the canaries around arena[0..bytes) and at the stack's low end, and paints the unused stack. */
void ek_guard_init(uint8_t *arena, uint32_t bytes);

/* Returns 0, or the bits of the canaries that were overwritten. */
uint32_t ek_guard_check(const uint8_t *arena, uint32_t bytes);

/* Returns the most stack ever used, in bytes; EK_STACK_UNKNOWN where the port cannot say. */
uint32_t ek_guard_stack_peak(void);

#endif
