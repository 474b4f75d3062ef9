/* A 32-bit RISC-V board without a boot ROM of its own: QEMU's virt board. */
#include "board.h"
#include "port.h"

#include "../common/emulated_only.h"

void ek_port_init(void) {
  board_init();
}

void ek_port_putc(uint8_t byte) {
  board_putc(byte);
}

int ek_port_getc(void) {
  return board_getc();
}

uint64_t ek_port_ticks(void) {
  return board_ticks();
}

uint32_t ek_port_tick_hz(void) {
  return BOARD_HZ;
}
