#include "stack.h"

#include "port.h"

#define PAINT 0xc5c5a5a5u
/* Words below the painter's own frame that it leaves alone: callees and interrupts stand there. */
#define MARGIN_WORDS 64

void ek_stack_paint(void) {
  volatile uint32_t here = 0;
  volatile uint32_t *word = ek_port_stack_low();
  const uintptr_t end = (uintptr_t)&here - MARGIN_WORDS * sizeof(uint32_t);
  if (ek_port_stack_low() == ek_port_stack_high()) {
    return;
  }
  for (; (uintptr_t)word < end; ++word) {
    *word = PAINT;
  }
}

uint32_t ek_stack_peak_bytes(void) {
  const volatile uint32_t *word = ek_port_stack_low();
  const volatile uint32_t *high = ek_port_stack_high();
  if (word == high) {
    return EK_STACK_UNKNOWN;
  }
  while (word < high && *word == PAINT) {
    ++word;
  }
  return (uint32_t)((uintptr_t)high - (uintptr_t)word);
}

int ek_stack_intact(void) {
  const volatile uint32_t *low = ek_port_stack_low();
  if (low == ek_port_stack_high()) {
    return 1;
  }
  return low[0] == PAINT && low[1] == PAINT && low[2] == PAINT && low[3] == PAINT;
}
