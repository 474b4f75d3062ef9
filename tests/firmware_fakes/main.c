/* The smallest application that shows whether a port works: reads one input, prints one line in hex, and so
 * on. */
#include "ek_model.h"
#include "port.h"

static uint8_t arena[EK_ARENA_BYTES] __attribute__((aligned(16), section(".arena")));
static int zero_at_start;
static int seven_at_start = 7;

static void print(const char *text) {
  while (*text != '\0') {
    ek_port_putc((uint8_t)*text++);
  }
}

static void print_hex(uint64_t value, uint32_t digits) {
  for (uint32_t i = digits; i-- > 0;) {
    ek_port_putc((uint8_t) "0123456789abcdef"[(value >> (4u * i)) & 15u]);
  }
}

int ek_main(void) {
  ek_port_init();
  ek_model_init(arena);
  const uint32_t here = (uint32_t)(uintptr_t)&here;
  const uint32_t low = (uint32_t)(uintptr_t)ek_port_stack_low();
  const uint32_t high = (uint32_t)(uintptr_t)ek_port_stack_high();
  const int on_stack = here - low < high - low;
  for (;;) {
    print("\nstart ");
    print_hex((uint32_t)ek_port_emulated(), 1);
    print_hex((uint32_t)ek_port_self_test(), 2);
    print_hex((uint32_t)(on_stack + 2 * (zero_at_start == 0 && seven_at_start == 7)), 1);
    print("\n");
    const ek_span input = ek_model_input(arena, 0);
    for (uint32_t i = 0; i < input.bytes;) {
      const int byte = ek_port_getc();
      if (byte >= 0) {
        input.data[i++] = (uint8_t)byte;
      }
    }
    const uint64_t begin = ek_port_ticks();
    ek_model_invoke(arena);
    const uint64_t end = ek_port_ticks();
    const ek_span output = ek_model_output(arena, 0);
    print("ticks ");
    print_hex(end - begin, 16);
    print(" output ");
    for (uint32_t i = 0; i < output.bytes; ++i) {
      print_hex(output.data[i], 2);
    }
    print("\n");
  }
}
