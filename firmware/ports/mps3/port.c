/* Arm's MPS3 board with the AN547 image (QEMU mps3-an547: Cortex-M55): CMSDK UART 0 at 25 MHz and the system
 * counter at 32 MHz, by their secure addresses. */
#include "port.h"

#include "../common/emulated_only.h"

#define UART_BASE 0x59303000u
#include "../mps2/cmsdk_uart.h"

#define COUNTER_CTRL REGISTER(0x58100000u) /* bit 0: count, bit 2: scale */
#define COUNTER_LOW REGISTER(0x58100008u)
#define COUNTER_HIGH REGISTER(0x5810000Cu)
#define COUNTER_SCALE REGISTER(0x581000D0u) /* added with each tick of the clock, 8.24 bits */

void ek_timer_interrupt(void);

/* 64 bits need no interrupt to count on: this one is never enabled. */
void ek_timer_interrupt(void) {
}

void ek_port_init(void) {
  start_uart(25000000u);
  COUNTER_SCALE = 0x00400000u; /* 1/4: each tick of 8 MHz is as many whole nanoseconds */
  COUNTER_CTRL = 5;
}

/* The halves are read one after the other: again where the upper one changed between. */
uint64_t ek_port_ticks(void) {
  uint32_t high;
  uint32_t low;
  do {
    high = COUNTER_HIGH;
    low = COUNTER_LOW;
  } while (high != COUNTER_HIGH);
  return (uint64_t)high << 32 | low;
}

uint32_t ek_port_tick_hz(void) {
  return 8000000u;
}
