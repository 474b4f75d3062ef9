/* Arm's MPS2 board (QEMU mps2-an386: Cortex-M4): CMSDK UART 0 and CMSDK timer 0, both at 25 MHz. */
#include "port.h"

#define REGISTER(address) (*(volatile uint32_t *)(address))

#define UART_DATA REGISTER(0x40004000u)
#define UART_STATE REGISTER(0x40004004u) /* bit 0: transmitter full, bit 1: receiver full */
#define UART_CTRL REGISTER(0x40004008u)  /* bit 0: transmit, bit 1: receive */
#define UART_BAUDDIV REGISTER(0x40004010u)

/* CMSDK timer 0 counts 32 bits down: its interrupt comes every 172 s, so hardly ever within an inference.
 * SysTick with its 24 bits would interrupt every third second. */
#define TIMER_CTRL REGISTER(0x40000000u) /* bit 0: count, bit 3: interrupt at 0 */
#define TIMER_VALUE REGISTER(0x40000004u)
#define TIMER_RELOAD REGISTER(0x40000008u)
#define TIMER_INTERRUPT REGISTER(0x4000000Cu) /* bit 0: it reached 0; write 1 to clear */
#define NVIC_ENABLE REGISTER(0xE000E100u)
#define TIMER_LINE (1u << 8)

extern uint32_t _ek_stack_low[], _ek_stack_high[];
void ek_timer_interrupt(void);

/* Times that the counter went round. */
static volatile uint32_t rounds;

/* Counts a round that ended; interrupts are off, or this is one. */
static void count_round(void) {
  if ((TIMER_INTERRUPT & 1u) != 0) {
    TIMER_INTERRUPT = 1;
    rounds += 1;
  }
}

void ek_timer_interrupt(void) {
  count_round();
}

void ek_port_init(void) {
  UART_BAUDDIV = 217; /* 25 MHz / 115200 */
  UART_CTRL = 3;
  TIMER_RELOAD = 0xFFFFFFFFu;
  TIMER_VALUE = 0xFFFFFFFFu;
  TIMER_CTRL = 9;
  NVIC_ENABLE = TIMER_LINE;
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

/* With interrupts off a round can end between two looks: then the count is read again, of the new round. The
 * interrupt comes when the counter reaches 0, so 0 is the first tick of a round. */
uint64_t ek_port_ticks(void) {
  __asm__ volatile("cpsid i" ::: "memory");
  count_round();
  uint32_t high = rounds;
  uint32_t count = TIMER_VALUE;
  count_round();
  if (rounds != high) {
    high = rounds;
    count = TIMER_VALUE;
  }
  __asm__ volatile("cpsie i" ::: "memory");
  return (uint64_t)high << 32 | (0u - count);
}

uint32_t ek_port_tick_hz(void) {
  return 25000000u;
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
