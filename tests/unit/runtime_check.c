/* Compares the ESP32's run-time functions with this computer's own arithmetic; prints the first difference.
 */
#define RUNTIME(name) ek_##name
#include "runtime.c"

#include <stdio.h>

static uint64_t state = 88172645463325252u;

static uint64_t next_random(void) {
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return state;
}

/* Every edge, and random values of every length. */
static const uint64_t edges[] = {0,
                                 1,
                                 2,
                                 3,
                                 7,
                                 10,
                                 0x7F,
                                 0x80,
                                 0xFF,
                                 0xFFFF,
                                 0x10000,
                                 0x7FFFFF,
                                 0x800000,
                                 0xFFFFFF,
                                 0x1000000,
                                 0x7FFFFFFF,
                                 0x80000000,
                                 0x80000001,
                                 0xFFFFFFFF,
                                 0x100000000,
                                 0x7FFFFFFFFFFFFFFF,
                                 0x8000000000000000,
                                 0x8000000000000001,
                                 0xFFFFFFFFFFFFFFFF,
                                 0x7F800000,
                                 0x7F7FFFFF,
                                 0x3F800000,
                                 0x3F800001,
                                 0xBF800000,
                                 0x00800001,
                                 0x807FFFFF,
                                 0x4B000000,
                                 0x4B800001,
                                 0x4F7FFFFF,
                                 0x7FC00000,
                                 0xFF800000,
                                 0x33800000,
                                 0x34000000};
#define EDGES (sizeof edges / sizeof edges[0])

static uint64_t value(uint32_t index) {
  return index < EDGES ? edges[index] : next_random() >> (next_random() & 63u);
}

static int failures;

static void expect(const char *what, uint64_t a, uint64_t b, uint64_t got, uint64_t wanted) {
  if (got != wanted && failures++ == 0) {
    printf("%s(%llx, %llx) = %llx, expected %llx\n", what, (unsigned long long)a, (unsigned long long)b,
           (unsigned long long)got, (unsigned long long)wanted);
  }
}

static void expect_float(const char *what, uint32_t a, uint32_t b, float got, float wanted) {
  if (got == got || wanted == wanted) {
    expect(what, a, b, bits_of(got), bits_of(wanted));
  }
}

static void check_integers(uint64_t a, uint64_t b) {
  const uint32_t x = (uint32_t)a, y = (uint32_t)b;
  expect("umulsidi3", x, y, ek_umulsidi3(x, y), (uint64_t)x * y);
  expect("muldi3", a, b, (uint64_t)ek_muldi3((int64_t)a, (int64_t)b), a * b);
  if (y != 0) {
    expect("udivsi3", x, y, ek_udivsi3(x, y), x / y);
    expect("umodsi3", x, y, ek_umodsi3(x, y), x % y);
    if (x != 0x80000000u || y != UINT32_MAX) {
      expect("divsi3", x, y, (uint32_t)ek_divsi3((int32_t)x, (int32_t)y),
             (uint32_t)((int32_t)x / (int32_t)y));
    }
  }
  if (b != 0) {
    expect("udivdi3", a, b, ek_udivdi3(a, b), a / b);
    expect("umoddi3", a, b, ek_umoddi3(a, b), a % b);
    if (a != 0x8000000000000000u || b != UINT64_MAX) {
      expect("divdi3", a, b, (uint64_t)ek_divdi3((int64_t)a, (int64_t)b),
             (uint64_t)((int64_t)a / (int64_t)b));
    }
  }
}

static void check_floats(uint32_t a, uint32_t b) {
  const volatile float x = float_of(a), y = float_of(b);
  expect_float("addsf3", a, b, ek_addsf3(x, y), x + y);
  expect_float("subsf3", a, b, ek_subsf3(x, y), x - y);
  expect_float("mulsf3", a, b, ek_mulsf3(x, y), x * y);
  expect_float("floatsisf", a, 0, ek_floatsisf((int32_t)a), (float)(int32_t)a);
  expect_float("floatunsisf", a, 0, ek_floatunsisf(a), (float)a);
  if (x > -1.0f && x < 4294967296.0f) {
    expect("fixunssfsi", a, 0, ek_fixunssfsi(x), (uint32_t)x);
  }
}

int main(void) {
  for (uint32_t i = 0; i < EDGES + 2000; ++i) {
    for (uint32_t j = 0; j < EDGES + 2000; ++j) {
      const uint64_t a = value(i), b = value(j);
      check_integers(a, b);
      check_floats((uint32_t)a, (uint32_t)b);
      /* Exponents close together: sums that cancel, and rounding at every distance. */
      check_floats((uint32_t)a, (uint32_t)a ^ ((uint32_t)b & 0x87FFFFFFu));
    }
  }
  printf("%d differences\n", failures);
  return failures != 0;
}
