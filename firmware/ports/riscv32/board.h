/* QEMU's RISC-V virt board: a 16550 with a register every byte, and the core's own counter. */
#ifndef EK_RISCV32_BOARD_H
#define EK_RISCV32_BOARD_H

#include <stdint.h>

#define BOARD_HZ 1000000000u /* of the counter: one instruction a virtual nanosecond */

#define NS16550 ((volatile uint8_t *)0x10000000u)
#define NS16550_DATA 0
#define NS16550_FIFO 2
#define NS16550_STATUS 5 /* bit 0: received, bit 5: transmitter empty */

static inline void board_init(void) {
  NS16550[NS16550_FIFO] = 7; /* 16 bytes instead of one, so that a burst from the host is kept */
}

static inline void board_putc(uint8_t byte) {
  while ((NS16550[NS16550_STATUS] & 0x20u) == 0) {
  }
  NS16550[NS16550_DATA] = byte;
}

static inline int board_getc(void) {
  return (NS16550[NS16550_STATUS] & 1u) != 0 ? NS16550[NS16550_DATA] : -1;
}

/* Both halves belong together when the upper one did not move between two looks. */
static inline uint64_t board_ticks(void) {
  uint32_t high, low, again;
  do {
    __asm__ volatile("csrr %0, mcycleh\n\tcsrr %1, mcycle\n\tcsrr %2, mcycleh"
                     : "=&r"(high), "=&r"(low), "=&r"(again)::"memory");
  } while (high != again);
  return (uint64_t)high << 32 | low;
}

#endif
