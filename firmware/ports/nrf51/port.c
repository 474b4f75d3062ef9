/* Nordic's nRF51: its UART at 115,200 baud, and timer 0 at 8 MHz. */
#include "chip.h"
#include "port.h"

#include "../common/emulated_only.h"

void ek_timer_interrupt(void);

/* Times that the timer's 32 bits went round, every 537 s. */
static volatile uint32_t rounds;

/* Counts a round that ended; interrupts are off, or this is one. */
static void count_round(void) {
  if (TIMER_ROUND_ENDED != 0) {
    TIMER_ROUND_ENDED = 0;
    rounds += 1;
  }
}

void ek_timer_interrupt(void) {
  count_round();
}

void ek_port_init(void) {
  CLOCK_START = 1;
  while (CLOCK_STARTED == 0) {
  }
  UART_PIN_SENDING = PIN_SENDING;
  UART_PIN_RECEIVING = PIN_RECEIVING;
  UART_RATE = 0x01D7E000u;
  UART_ENABLE = 4;
  UART_START_SENDING = 1;
  UART_START_RECEIVING = 1;
  TIMER_BITS = 3;      /* 32 */
  TIMER_PRESCALER = 1; /* 16 MHz / 2: a tick is a whole number of nanoseconds */
  TIMER_COMPARED = 0;
  TIMER_INTERRUPTS = 1u << 17;
  NVIC_ENABLE = 1u << TIMER_INTERRUPT_NUMBER;
  TIMER_START = 1;
}

void ek_port_putc(uint8_t byte) {
  UART_SENT = 0;
  UART_SEND = byte;
  while (UART_SENT == 0) {
  }
}

int ek_port_getc(void) {
  if (UART_RECEIVED == 0) {
    return -1;
  }
  UART_RECEIVED = 0;
  return (int)(UART_RECEIVE & 0xFFu);
}

static uint32_t count(void) {
  TIMER_CAPTURE = 1;
  return TIMER_CAPTURED;
}

/* With interrupts off a round can end between two looks: then the count is read again, of the new round. */
uint64_t ek_port_ticks(void) {
  __asm__ volatile("cpsid i" ::: "memory");
  count_round();
  uint32_t high = rounds;
  uint32_t low = count();
  count_round();
  if (rounds != high) {
    high = rounds;
    low = count();
  }
  __asm__ volatile("cpsie i" ::: "memory");
  return (uint64_t)high << 32 | low;
}

uint32_t ek_port_tick_hz(void) {
  return 8000000u;
}
