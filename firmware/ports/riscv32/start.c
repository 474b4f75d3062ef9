/* From reset.S to the application: memory as C expects it. */
#include "port.h"

extern uint32_t _ek_data_start[], _ek_data_end[], _ek_data_load[], _ek_bss_start[], _ek_bss_end[];

void ek_start(void);

/* The loops go word by word through volatile pointers: no call into a C library before its memory is ready.
 */
void ek_start(void) {
  const uint32_t *from = _ek_data_load;
  for (volatile uint32_t *to = _ek_data_start; to < _ek_data_end; ++to) {
    *to = *from++;
  }
  for (volatile uint32_t *to = _ek_bss_start; to < _ek_bss_end; ++to) {
    *to = 0;
  }
  (void)ek_main();
  for (;;) {
  }
}
