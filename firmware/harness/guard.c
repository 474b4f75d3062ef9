#include "guard.h"

#include "port.h"

#define CANARY_WORDS (EK_CANARY_BYTES / 4u)
#define STACK_CANARY 0xC0DEFA11u
#define STACK_PAINT 0x5AFEC0A7u
/* Left unpainted below the current frame: what this leaf function itself may spill. */
#define PAINT_MARGIN_BYTES 128u

static uint8_t arena_canary(uint32_t i) {
  return (uint8_t)(0xA5u ^ (i << 3));
}

static uint32_t words_overwritten(const uint32_t *low) {
  uint32_t changed = 0;
  for (uint32_t i = 0; i < CANARY_WORDS; ++i) {
    changed |= *(const volatile uint32_t *)(low + i) ^ STACK_CANARY;
  }
  return changed;
}

__attribute__((noinline)) static void paint_stack(void) {
  uint32_t *const low = ek_port_stack_low();
  const uint32_t *const high = ek_port_stack_high();
  const uintptr_t now = (uintptr_t)__builtin_frame_address(0) - PAINT_MARGIN_BYTES;
  /* volatile: the bytes belong to no object that the compiler knows. */
  for (volatile uint32_t *word = low; word < high && (uintptr_t)word < now; ++word) {
    *word = word < low + CANARY_WORDS ? STACK_CANARY : STACK_PAINT;
  }
}

void ek_guard_init(uint8_t *arena, uint32_t bytes) {
  for (uint32_t i = 0; i < EK_CANARY_BYTES; ++i) {
    (arena - EK_CANARY_BYTES)[i] = arena_canary(i);
    (arena + bytes)[i] = arena_canary(i);
  }
  paint_stack();
}

uint32_t ek_guard_check(const uint8_t *arena, uint32_t bytes) {
  const volatile uint8_t *const low = arena - EK_CANARY_BYTES;
  const volatile uint8_t *const high = arena + bytes;
  uint32_t broken = 0;
  for (uint32_t i = 0; i < EK_CANARY_BYTES; ++i) {
    broken |= low[i] != arena_canary(i) ? EK_GUARD_ARENA_LOW : 0u;
    broken |= high[i] != arena_canary(i) ? EK_GUARD_ARENA_HIGH : 0u;
  }
  if (ek_port_stack_low() != ek_port_stack_high() && words_overwritten(ek_port_stack_low()) != 0) {
    broken |= EK_GUARD_STACK;
  }
  return broken;
}

uint32_t ek_guard_stack_peak(void) {
  const volatile uint32_t *word = ek_port_stack_low();
  const volatile uint32_t *const high = ek_port_stack_high();
  if (word == high) {
    return EK_STACK_UNKNOWN;
  }
  word += CANARY_WORDS;
  while (word < high && *word == STACK_PAINT) {
    ++word;
  }
  return (uint32_t)((uintptr_t)high - (uintptr_t)word);
}
