/* Arm's MPS2 board (QEMU mps2-an386: Cortex-M4): CMSDK UART 0, and SysTick at 25 MHz as the timer. */
#include "port.h"

#define REGISTER(address) (*(volatile uint32_t *)(address))

#define UART_DATA REGISTER(0x40004000u)
#define UART_STATE REGISTER(0x40004004u) /* bit 0: transmitter full, bit 1: receiver full */
#define UART_CTRL REGISTER(0x40004008u)  /* bit 0: transmit, bit 1: receive */
#define UART_BAUDDIV REGISTER(0x40004010u)

#define SYST_CSR REGISTER(0xE000E010u) /* bit 0: count, bit 1: interrupt at 0, bit 2: core clock */
#define SYST_RVR REGISTER(0xE000E014u)
#define SYST_CVR REGISTER(0xE000E018u)
#define SYST_TOP 0xFFFFFFu
#define ICSR REGISTER(0xE000ED04u) /* bit 26: SysTick is pending, write 1 to bit 25 to clear that */
#define PEND_SYST (1u << 26)
#define CLEAR_PEND_SYST (1u << 25)

extern uint32_t _ek_stack_low[], _ek_stack_high[];
void ek_sys_tick(void);

/* Times that the 24-bit counter went round. */
static volatile uint32_t rounds;

void ek_sys_tick(void) {
  rounds += 1;
}

void ek_port_init(void) {
  UART_BAUDDIV = 217; /* 25 MHz / 115200 */
  UART_CTRL = 3;
  SYST_RVR = SYST_TOP;
  SYST_CVR = 0;
  SYST_CSR = 7;
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

/* With interrupts off a round can end unseen: then it is pending, and the count read before is an old one.
 * The interrupt comes when the counter reaches 0, so 0 is the first tick of a round and SYST_TOP the second.
 */
uint64_t ek_port_ticks(void) {
  __asm__ volatile("cpsid i" ::: "memory");
  uint32_t count = SYST_CVR;
  if ((ICSR & PEND_SYST) != 0) {
    count = SYST_CVR;
    rounds += 1;
    ICSR = CLEAR_PEND_SYST;
  }
  const uint32_t high = rounds;
  __asm__ volatile("cpsie i" ::: "memory");
  return (uint64_t)high * (SYST_TOP + 1u) + ((SYST_TOP + 1u - count) & SYST_TOP);
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
