/* Registers of the ESP32 and of the emulated board that stands in for it.
 * Source: ESP32 Technical Reference Manual; QEMU's xtensa boards (kc705). */
#ifndef EK_ESP32_CHIP_H
#define EK_ESP32_CHIP_H

#include <stdint.h>

#define REGISTER(address) (*(volatile uint32_t *)(address))

/* UART 0; the ROM leaves it at 115,200 baud. */
#define UART_FIFO REGISTER(0x3FF40000u)
#define UART_STATUS REGISTER(0x3FF4001Cu) /* bits 7:0 received, bits 23:16 to send */

/* Watchdogs that run when the ROM hands over; a key opens each to writing. */
#define WATCHDOG_KEY 0x50D83AA1u
#define RTC_WATCHDOG_PROTECT REGISTER(0x3FF480A4u)
#define RTC_WATCHDOG_CONFIG REGISTER(0x3FF4808Cu)
#define TIMER_WATCHDOG_PROTECT REGISTER(0x3FF5F064u)
#define TIMER_WATCHDOG_CONFIG REGISTER(0x3FF5F048u)

/* Flash cache of the PRO core. A page has 64 KiB; entry 0 is 0x3F400000 (data), entry 77 is 0x400D0000
 * (code). */
#define CACHE_CONTROL REGISTER(0x3FF00040u)
#define CACHE_ENABLE (1u << 3)
#define CACHE_FLUSH_START (1u << 4)
#define CACHE_FLUSH_DONE (1u << 5)
#define CACHE_MASK REGISTER(0x3FF00044u)
#define CACHE_MASK_IRAM0 (1u << 0)
#define CACHE_MASK_DROM0 (1u << 4)
#define MMU_TABLE ((volatile uint32_t *)0x3FF10000u)
#define MMU_ENTRIES 256u
#define MMU_INVALID 0x100u
#define MMU_DATA_ENTRY 0u
#define MMU_CODE_ENTRY 77u

/* The emulated board: a 16550 with a register every 4 bytes. */
#define NS16550_DATA REGISTER(0xFD050020u)
#define NS16550_FIFO REGISTER(0xFD050028u)
#define NS16550_STATUS REGISTER(0xFD050034u) /* bit 0: received, bit 5: transmitter empty */

/* 1 on the chip: its two cores have an id of their own, QEMU's have another. */
static inline int on_chip(void) {
  uint32_t id;
  __asm__ volatile("rsr %0, prid" : "=r"(id));
  return id == 0xCDCDu || id == 0xABABu;
}

#endif
