/* ESP32-C3: UART 0 and the chip's USB serial port, and the core's cycle counter at the speed that the ROM
 * leaves the core at. On QEMU's virt board: what that has. */
#include "../riscv32/board.h"
#include "chip.h"
#include "port.h"

#include "../common/stack_bounds.h"

#define ROM_CLOCK_HZ 20000000u /* half of the crystal */

/* The chip's counter has 32 bits, 214 s: the last sample, and the wraps that were seen. */
static uint32_t last_cycles;
static uint32_t cycle_wraps;

/* Where the host is: it answers on the line on which the last byte came. */
static int on_usb;

void ek_port_init(void) {
  if (on_chip()) {
    __asm__ volatile("csrwi 0x7E0, 1\n\tcsrwi 0x7E1, 1"); /* count cycles; run */
  } else {
    board_init();
  }
}

void ek_port_putc(uint8_t byte) {
  if (!on_chip()) {
    board_putc(byte);
  } else if (on_usb) {
    /* Without a host that listens the queue stays full: then the byte is dropped, not waited for. */
    for (uint32_t tries = 0; (USB_CONFIG & 2u) == 0; ++tries) {
      if (tries == 1000000u) {
        return;
      }
    }
    USB_FIFO = byte;
    USB_CONFIG = 1;
  } else {
    while (((UART_STATUS >> 16) & 0x3FFu) >= 126u) {
    }
    UART_FIFO = byte;
  }
}

int ek_port_getc(void) {
  if (!on_chip()) {
    return board_getc();
  }
  if ((USB_CONFIG & 4u) != 0) {
    on_usb = 1;
    return (int)(USB_FIFO & 0xFFu);
  }
  if ((UART_STATUS & 0x3FFu) != 0) {
    on_usb = 0;
    return (int)(UART_FIFO & 0xFFu);
  }
  return -1;
}

static uint64_t chip_ticks(void) {
  uint32_t now;
  __asm__ volatile("csrr %0, 0x7E2" : "=r"(now)::"memory");
  if (now < last_cycles) {
    cycle_wraps += 1;
  }
  last_cycles = now;
  return (uint64_t)cycle_wraps << 32 | now;
}

uint64_t ek_port_ticks(void) {
  return on_chip() ? chip_ticks() : board_ticks();
}

uint32_t ek_port_tick_hz(void) {
  return on_chip() ? ROM_CLOCK_HZ : BOARD_HZ;
}

int ek_port_emulated(void) {
  return !on_chip();
}
