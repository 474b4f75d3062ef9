/* Arm Cortex-M start-up: the vector table, memory as C expects it, then the application. */
#include "chip.h"
#include "port.h"

#include <stdint.h>

extern uint32_t _ek_data_start[], _ek_data_end[], _ek_data_load[], _ek_bss_start[], _ek_bss_end[];
extern uint32_t _ek_stack_high[];

void ek_reset(void);
void ek_timer_interrupt(void);

/* A fault ends here; the host hears nothing more and says so. */
static void halt(void) {
  for (;;) {
  }
}

/* The loops go word by word through volatile pointers: no call into a C library before its memory is ready.
 */
void ek_reset(void) {
  const uint32_t *from = _ek_data_load;
  for (volatile uint32_t *to = _ek_data_start; to < _ek_data_end; ++to) {
    *to = *from++;
  }
  for (volatile uint32_t *to = _ek_bss_start; to < _ek_bss_end; ++to) {
    *to = 0;
  }
#if __ARM_ARCH >= 7
  /* CPACR: code for a core with an FPU may use its registers. */
  *(volatile uint32_t *)0xE000ED88u |= 0xFu << 20;
#endif
  (void)ek_main();
  halt();
}

/* Stack pointer, reset, NMI, the faults and system calls, then device interrupts, of which the timer's is
 * used. */
typedef void (*handler)(void);
__attribute__((section(".vectors"), used)) static const struct {
  uint32_t *stack;
  handler reset, faults[14], lines[TIMER_INTERRUPT_NUMBER + 1];
} vectors = {
    _ek_stack_high,
    ek_reset,
    {halt, halt, halt, halt, halt, halt, halt, halt, halt, halt, halt, halt, halt, halt},
    {[TIMER_INTERRUPT_NUMBER] = ek_timer_interrupt},
};
