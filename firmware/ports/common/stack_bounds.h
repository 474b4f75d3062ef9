/* The stack lies where the linker script says. Included once, by the port. */
#ifndef EK_STACK_BOUNDS_H
#define EK_STACK_BOUNDS_H

#include "port.h"

extern uint32_t _ek_stack_low[], _ek_stack_high[];

uint32_t *ek_port_stack_low(void) {
  return _ek_stack_low;
}

uint32_t *ek_port_stack_high(void) {
  return _ek_stack_high;
}

#endif
