/* ESP32: UART 0, and CCOUNT at the speed that the ROM leaves the core at. The same ELF runs on QEMU's kc705
 * board, whose RAM covers every address of the ESP32; what differs is chosen by the core's id. */
#include "chip.h"
#include "port.h"

#include "../common/stack_bounds.h"

#define CRYSTAL_HZ 40000000u
#define TIMER_INTERRUPT (1u << 6) /* of CCOMPARE0, level 1 */

/* CCOUNT has 32 bits, 107 s: the last sample and the number of wraps. reset.S samples in an interrupt as
 * well. */
volatile uint32_t ek_cycles[2];

/* Raises the interrupt level to 15; returns the state before. */
static inline uint32_t lock(void) {
  uint32_t state;
  __asm__ volatile("rsil %0, 15" : "=r"(state)::"memory");
  return state;
}

static inline void unlock(uint32_t state) {
  __asm__ volatile("wsr %0, ps\n\trsync" ::"r"(state) : "memory");
}

static inline uint32_t cycle_count(void) {
  uint32_t count;
  __asm__ volatile("rsr %0, ccount" : "=r"(count)::"memory");
  return count;
}

void ek_port_init(void) {
  if (!on_chip()) {
    NS16550_FIFO = 7; /* 16 bytes instead of one, so that a burst from the host is kept */
  }
  ek_cycles[0] = cycle_count();
  __asm__ volatile("wsr %0, ccompare0" ::"r"(ek_cycles[0] + (1u << 30)));
  __asm__ volatile("wsr %0, intenable" ::"r"(TIMER_INTERRUPT));
  unlock(0x20); /* user mode, interrupt level 0 */
}

void ek_port_putc(uint8_t byte) {
  if (on_chip()) {
    while (((UART_STATUS >> 16) & 0xFFu) >= 126u) {
    }
    UART_FIFO = byte;
  } else {
    while ((NS16550_STATUS & 0x20u) == 0) {
    }
    NS16550_DATA = byte;
  }
}

int ek_port_getc(void) {
  if (on_chip()) {
    return (UART_STATUS & 0xFFu) != 0 ? (int)(UART_FIFO & 0xFFu) : -1;
  }
  return (NS16550_STATUS & 1u) != 0 ? (int)(NS16550_DATA & 0xFFu) : -1;
}

uint64_t ek_port_ticks(void) {
  const uint32_t state = lock();
  const uint32_t now = cycle_count();
  if (now < ek_cycles[0]) {
    ek_cycles[1] += 1;
  }
  ek_cycles[0] = now;
  const uint32_t wraps = ek_cycles[1];
  unlock(state);
  return (uint64_t)wraps << 32 | now;
}

uint32_t ek_port_tick_hz(void) {
  return CRYSTAL_HZ;
}

int ek_port_emulated(void) {
  return !on_chip();
}
