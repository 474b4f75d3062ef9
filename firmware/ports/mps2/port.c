/* Arm's MPS2 board: CMSDK UART 0 and CMSDK timer 0, both at the clock of the core. */
#include "chip.h"
#include "port.h"

#include "../common/emulated_only.h"
#include "cmsdk_uart.h"

/* CMSDK timer 0 counts 32 bits down: its interrupt comes every few minutes, so hardly ever within an
 * inference. SysTick with its 24 bits would interrupt every third second. */
#define TIMER_CTRL REGISTER(TIMER_BASE) /* bit 0: count, bit 3: interrupt at 0 */
#define TIMER_VALUE REGISTER(TIMER_BASE + 4u)
#define TIMER_RELOAD REGISTER(TIMER_BASE + 8u)
#define TIMER_INTERRUPT REGISTER(TIMER_BASE + 12u) /* bit 0: it reached 0; write 1 to clear */
#define NVIC_ENABLE REGISTER(0xE000E100u)

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
  start_uart(CLOCK_HZ);
  TIMER_RELOAD = 0xFFFFFFFFu;
  TIMER_VALUE = 0xFFFFFFFFu;
  TIMER_CTRL = 9;
  NVIC_ENABLE = 1u << TIMER_INTERRUPT_NUMBER;
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
