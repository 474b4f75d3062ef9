/* Arm's MPS3 board with the AN547 image (QEMU mps3-an547: Cortex-M55): CMSDK UART 0 at 25 MHz and the system
 * counter at 32 MHz, by their secure addresses. */
#include "port.h"

#define REGISTER(address) (*(volatile uint32_t *)(address))

#define UART_DATA REGISTER(0x59303000u)
#define UART_STATE REGISTER(0x59303004u) /* bit 0: transmitter full, bit 1: receiver full */
#define UART_CTRL REGISTER(0x59303008u)  /* bit 0: transmit, bit 1: receive */
#define UART_BAUDDIV REGISTER(0x59303010u)

#define COUNTER_CTRL REGISTER(0x58100000u) /* bit 0: count, bit 2: scale */
#define COUNTER_LOW REGISTER(0x58100008u)
#define COUNTER_HIGH REGISTER(0x5810000Cu)
#define COUNTER_SCALE REGISTER(0x581000D0u) /* added with each tick of the clock, 8.24 bits */

extern uint32_t _ek_stack_low[], _ek_stack_high[];
void ek_timer_interrupt(void);

/* 64 bits need no interrupt to count on: this one is never enabled. */
void ek_timer_interrupt(void) {
}

void ek_port_init(void) {
  UART_BAUDDIV = 217; /* 25 MHz / 115200 */
  UART_CTRL = 3;
  COUNTER_SCALE = 0x00400000u; /* 1/4: each tick of 8 MHz is as many whole nanoseconds */
  COUNTER_CTRL = 5;
}

void ek_port_putc(uint8_t byte) {
  while ((UART_STATE & 1u) != 0) {
  }
  UART_DATA = byte;
}

int ek_port_getc(void) {
  if ((UART_STATE & 2u) == 0) {
    return -1;
  }
  return (int)(UART_DATA & 0xFFu);
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

int ek_port_emulated(void) {
  return 1;
}

uint32_t *ek_port_stack_low(void) {
  return _ek_stack_low;
}

uint32_t *ek_port_stack_high(void) {
  return _ek_stack_high;
}
