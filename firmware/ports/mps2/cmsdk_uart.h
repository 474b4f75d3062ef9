/* The UART of Arm's Cortex-M System Design Kit, at UART_BASE. Included once, by the port. */
#ifndef EK_CMSDK_UART_H
#define EK_CMSDK_UART_H

#include "port.h"

#define REGISTER(address) (*(volatile uint32_t *)(address))

#define UART_DATA REGISTER(UART_BASE)
#define UART_STATE REGISTER(UART_BASE + 4u) /* bit 0: transmitter full, bit 1: receiver full */
#define UART_CTRL REGISTER(UART_BASE + 8u)  /* bit 0: transmit, bit 1: receive */
#define UART_BAUDDIV REGISTER(UART_BASE + 16u)

static void start_uart(uint32_t clock_hz) {
  UART_BAUDDIV = clock_hz / 115200u;
  UART_CTRL = 3;
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

#endif
