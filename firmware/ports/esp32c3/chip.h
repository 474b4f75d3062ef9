/* Registers of the ESP32-C3. Source: ESP32-C3 Technical Reference Manual. */
#ifndef EK_ESP32C3_CHIP_H
#define EK_ESP32C3_CHIP_H

#include <stdint.h>

#define REGISTER(address) (*(volatile uint32_t *)(address))

/* UART 0; the ROM leaves it at 115,200 baud. */
#define UART_FIFO REGISTER(0x60000000u)
#define UART_STATUS REGISTER(0x6000001Cu) /* bits 9:0 received, bits 25:16 to send */

/* The USB serial port of the chip itself; boards without a USB bridge have only this one. */
#define USB_FIFO REGISTER(0x60043000u)
#define USB_CONFIG REGISTER(0x60043004u) /* bit 0: send now, bit 1: room to send, bit 2: received */

/* Watchdogs that run when the ROM hands over; a key opens each to writing. */
#define WATCHDOG_KEY 0x50D83AA1u
#define RTC_WATCHDOG_PROTECT REGISTER(0x600080A8u)
#define RTC_WATCHDOG_CONFIG REGISTER(0x60008090u)
#define SUPER_WATCHDOG_KEY 0x8F1D312Au
#define SUPER_WATCHDOG_PROTECT REGISTER(0x600080B0u)
#define SUPER_WATCHDOG_CONFIG REGISTER(0x600080ACu) /* bits 31 and 30: off, and fed by itself */
#define TIMER_WATCHDOG_PROTECT REGISTER(0x6001F064u)
#define TIMER_WATCHDOG_CONFIG REGISTER(0x6001F048u)

/* Flash cache. A page has 64 KiB; data at 0x3C000000 and code at 0x42000000 share the entries. */
#define MMU_TABLE ((volatile uint32_t *)0x600C5000u)
#define MMU_ENTRIES 128u
#define MMU_INVALID 0x100u
#define CACHE_BUSES REGISTER(0x600C4004u) /* bits 0 and 1: shut the buses of code and data */

/* Functions of the chip's ROM, plain RISC-V calls (Espressif's esp32c3.rom.ld). */
#define ROM_CACHE_DISABLE ((uint32_t(*)(void))0x4000051Cu)
#define ROM_CACHE_ENABLE ((void (*)(uint32_t))0x40000520u)
#define ROM_CACHE_INVALIDATE ((void (*)(void))0x400004D8u)

/* 0 on the chip, 1 on QEMU: from the linker script, the one file in which the two differ. The address is
 * hidden from the compiler, which takes no symbol's address for 0. */
extern char _ek_emulated[];
static inline int on_chip(void) {
  uint32_t emulated;
  __asm__("lui %0, %%hi(_ek_emulated)\n\taddi %0, %0, %%lo(_ek_emulated)" : "=r"(emulated));
  return emulated == 0;
}

#endif
