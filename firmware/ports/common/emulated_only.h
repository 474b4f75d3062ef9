/* A machine that is only ever emulated. Included once, by the port. */
#ifndef EK_EMULATED_ONLY_H
#define EK_EMULATED_ONLY_H

#include "port.h"
#include "stack_bounds.h"

int ek_port_emulated(void) {
  return 1;
}

#endif
