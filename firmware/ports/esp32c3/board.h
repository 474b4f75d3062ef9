/* Chip or emulator: the linker script that placed the program knows. */
#ifndef EK_BOARD_H
#define EK_BOARD_H

#include <stdint.h>

#define REGISTER(address) (*(volatile uint32_t *)(address))

/* An absolute symbol: its address is the answer, 0 in link.ld, 1 in emulated.ld. */
extern const uint8_t _ek_emulated[];

static inline int ek_on_emulator(void) {
  return (uintptr_t)_ek_emulated != 0;
}

#endif
