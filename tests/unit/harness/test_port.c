/* A port for tests: standard input and output are the serial line, `painted` stands for the stack. */
#define _POSIX_C_SOURCE 199309L
#include "port.h"

#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static uint32_t painted[256];

void ek_port_init(void) {
  static const char banner[] = "ets Jul 29 2019 12:21:46\r\nrst:0x1 (POWERON_RESET)\r\n";
  (void)!write(1, banner, sizeof banner - 1);
}

void ek_port_putc(uint8_t byte) {
  if (write(1, &byte, 1) != 1) {
    exit(1);
  }
}

int ek_port_getc(void) {
  uint8_t byte;
  if (read(0, &byte, 1) != 1) {
    exit(0);
  }
  return byte;
}

uint64_t ek_port_ticks(void) {
  struct timespec now;
  (void)clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint32_t ek_port_tick_hz(void) {
  return 1000000000u;
}

int ek_port_emulated(void) {
  return 0;
}

int ek_port_self_test(void) {
#if TEST_FAULT == 4
  return 3;
#else
#if TEST_FAULT == 5 /* the stack ran into its low end */
  painted[1] = 1;
#endif
  painted[255] = 1; /* four bytes used */
  return 0;
#endif
}

uint32_t *ek_port_stack_low(void) {
  return painted;
}

uint32_t *ek_port_stack_high(void) {
  return painted + 256;
}

int main(void) {
  return ek_main();
}
