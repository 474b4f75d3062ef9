/* What a port gives the harness. One folder in firmware/ports/ implements it: start-up, linker script,
 * port.c. */
#ifndef EK_PORT_H
#define EK_PORT_H

#include <stdint.h>

/* Brings up clocks, watchdogs and the serial line. Called once, before anything else here. */
void ek_port_init(void);

/* Sends one byte; blocks while the transmitter is full. */
void ek_port_putc(uint8_t byte);

/* Returns the next received byte, or -1 when there is none. Never blocks. */
int ek_port_getc(void);

/* Monotonic timer; never wraps within a run. */
uint64_t ek_port_ticks(void);

/* Ticks per second of ek_port_ticks. */
uint32_t ek_port_tick_hz(void);

/* 1 when this is an emulated core, 0 on the chip (and on the host). */
int ek_port_emulated(void);

/* 0 when the core computes as it should; otherwise the number of the check that failed. */
int ek_port_self_test(void);

/* The same, of what a core alone has: defined by the port of an Xtensa, whose checks are the self-test's
 * last. */
int ek_port_core_test(void);

/* The stack of the application, lowest address first: [low, high). Equal pointers where it cannot be painted.
 */
uint32_t *ek_port_stack_low(void);
uint32_t *ek_port_stack_high(void);

/* The application, in firmware/harness/main.c. Ports call it once from their start-up code; it never returns.
 */
int ek_main(void);

#endif
