/* Arm's MPS2 board: CMSDK UART 0 and CMSDK timer 0, both at the clock of the core. */
#include "chip.h"
#include "port.h"

#define REGISTER(address) (*(volatile uint32_t *)(address))

#define UART_DATA REGISTER(UART_BASE)
#define UART_STATE REGISTER(UART_BASE + 4u) /* bit 0: transmitter full, bit 1: receiver full */
#define UART_CTRL REGISTER(UART_BASE + 8u)  /* bit 0: transmit, bit 1: receive */
#define UART_BAUDDIV REGISTER(UART_BASE + 16u)

/* CMSDK timer 0 counts 32 bits down: its interrupt comes every few minutes, so hardly ever within an
 * inference. SysTick with its 24 bits would interrupt every third second. */
#define TIMER_CTRL REGISTER(TIMER_BASE) /* bit 0: count, bit 3: interrupt at 0 */
#define TIMER_VALUE REGISTER(TIMER_BASE + 4u)
#define TIMER_RELOAD REGISTER(TIMER_BASE + 8u)
#define TIMER_INTERRUPT REGISTER(TIMER_BASE + 12u) /* bit 0: it reached 0; write 1 to clear */
#define NVIC_ENABLE REGISTER(0xE000E100u)

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
  UART_BAUDDIV = CLOCK_HZ / 115200u;
  UART_CTRL = 3;
  TIMER_RELOAD = 0xFFFFFFFFu;
  TIMER_VALUE = 0xFFFFFFFFu;
  TIMER_CTRL = 9;
  NVIC_ENABLE = 1u << TIMER_INTERRUPT_NUMBER;
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
  return CLOCK_HZ;
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
