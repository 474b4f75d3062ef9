/* From reset.S to the application: watchdogs off, flash mapped, .bss cleared. All of it runs from IRAM,
 * because the flash is not there before it is mapped; so no constant data, no call of a library. */
#include "chip.h"
#include "port.h"

#define IRAM __attribute__((section(".iram.text"), noinline))

extern uint32_t _ek_bss_start[], _ek_bss_end[];
/* Flash pages in use, from the linker script. */
extern char _ek_code_page[], _ek_code_pages[], _ek_data_page[], _ek_data_pages[];

void ek_start(void);

static IRAM void stop_watchdogs(void) {
  RTC_WATCHDOG_PROTECT = WATCHDOG_KEY;
  RTC_WATCHDOG_CONFIG = 0;
  SUPER_WATCHDOG_PROTECT = SUPER_WATCHDOG_KEY;
  SUPER_WATCHDOG_CONFIG |= 3u << 30;
  TIMER_WATCHDOG_PROTECT = WATCHDOG_KEY;
  TIMER_WATCHDOG_CONFIG = 0;
}

/* Entry n shows page n of the flash: what lies at flash address a is code at 0x42000000 + a, data at
 * 0x3C000000 + a. */
static IRAM void map_flash(void) {
  (void)ROM_CACHE_DISABLE();
  for (uint32_t entry = 0; entry < MMU_ENTRIES; ++entry) {
    MMU_TABLE[entry] = MMU_INVALID;
  }
  for (uint32_t page = 0; page < (uint32_t)_ek_code_pages; ++page) {
    MMU_TABLE[(uint32_t)_ek_code_page + page] = (uint32_t)_ek_code_page + page;
  }
  for (uint32_t page = 0; page < (uint32_t)_ek_data_pages; ++page) {
    MMU_TABLE[(uint32_t)_ek_data_page + page] = (uint32_t)_ek_data_page + page;
  }
  ROM_CACHE_INVALIDATE();
  CACHE_BUSES &= ~3u;
  ROM_CACHE_ENABLE(0);
}

IRAM void ek_start(void) {
  if (on_chip()) {
    stop_watchdogs();
    map_flash();
  }
  for (volatile uint32_t *word = _ek_bss_start; word < _ek_bss_end; ++word) {
    *word = 0;
  }
  (void)ek_main();
  for (;;) {
  }
}
