/* From reset.S to the application: watchdogs off, flash mapped, .bss cleared. All of it runs from IRAM,
 * because the flash is not there before it is mapped; so no constant data, no call of a library. */
#include "chip.h"
#include "port.h"

#define IRAM __attribute__((section(".iram.text"), noinline))

extern uint32_t _ek_bss_start[], _ek_bss_end[];
/* Flash pages and their number, from the linker script. */
extern char _ek_code_page[], _ek_code_pages[], _ek_data_page[], _ek_data_pages[];

void ek_start(void);

static IRAM void stop_watchdogs(void) {
  RTC_WATCHDOG_PROTECT = WATCHDOG_KEY;
  RTC_WATCHDOG_CONFIG = 0;
  TIMER_WATCHDOG_PROTECT = WATCHDOG_KEY;
  TIMER_WATCHDOG_CONFIG = 0;
}

static IRAM void map_flash(void) {
  CACHE_CONTROL &= ~CACHE_ENABLE;
  CACHE_CONTROL &= ~CACHE_FLUSH_START;
  CACHE_CONTROL |= CACHE_FLUSH_START;
  while ((CACHE_CONTROL & CACHE_FLUSH_DONE) == 0) {
  }
  for (uint32_t entry = 0; entry < MMU_ENTRIES; ++entry) {
    MMU_TABLE[entry] = MMU_INVALID;
  }
  for (uint32_t page = 0; page < (uint32_t)_ek_data_pages; ++page) {
    MMU_TABLE[MMU_DATA_ENTRY + page] = (uint32_t)_ek_data_page + page;
  }
  for (uint32_t page = 0; page < (uint32_t)_ek_code_pages; ++page) {
    MMU_TABLE[MMU_CODE_ENTRY + page] = (uint32_t)_ek_code_page + page;
  }
  CACHE_MASK &= ~(CACHE_MASK_IRAM0 | CACHE_MASK_DROM0);
  CACHE_CONTROL &= ~CACHE_FLUSH_START;
  CACHE_CONTROL |= CACHE_ENABLE;
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
}
