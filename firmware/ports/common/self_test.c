/* Does the core compute? A few sums whose results are known, over values that the compiler cannot fold. */
#include "port.h"

static volatile int32_t minus_seven = -7;
static volatile int32_t big = 0x12345678;
static volatile uint32_t high_bit = 0x80000000u;
static volatile int8_t small = -128;
static volatile int64_t wide = 0x123456789ABCDEFLL;
static volatile uint32_t words[16];

/* Number of the first check that fails in multiplying, shifting, dividing and extending; 0 when all hold. */
static int check_arithmetic(void) {
  if (big * minus_seven != -0x7F6E5D48 || (int64_t)big * big != 0x14B66DC1DF4D840LL) {
    return 1;
  }
  if (((int64_t)big * minus_seven) >> 31 != -1) {
    return 2;
  }
  if (minus_seven >> 1 != -4 || high_bit >> 31 != 1u || (int32_t)high_bit >> 31 != -1) {
    return 3;
  }
  if ((int32_t)small != -128 || (int32_t)(uint8_t)small != 128 || (int32_t)(int16_t)big != 0x5678) {
    return 4;
  }
  if (big / minus_seven != -43631413 || big % minus_seven != 5 || wide / 1000000007 != 81985528) {
    return 5;
  }
  if (wide >> 20 != 0x123456789ALL || wide << 4 != 0x123456789ABCDEF0LL) {
    return 6;
  }
  return 0;
}

/* Bytes and halfwords in memory reach their own lanes and no other. */
static int check_memory(void) {
  volatile uint8_t *bytes = (volatile uint8_t *)words;
  for (uint32_t i = 0; i < sizeof words; ++i) {
    bytes[i] = (uint8_t)(i * 37u + 11u);
  }
  volatile uint16_t *halves = (volatile uint16_t *)words;
  halves[3] = 0xBEEF;
  for (uint32_t i = 0; i < sizeof words / sizeof words[0]; ++i) {
    uint32_t expected = 0;
    for (uint32_t byte = 0; byte < 4; ++byte) {
      expected |= (((i * 4u + byte) * 37u + 11u) & 0xFFu) << (8u * byte);
    }
    if (i == 1) {
      expected = (expected & 0xFFFFu) | 0xBEEF0000u;
    }
    if (words[i] != expected) {
      return 7;
    }
  }
  return 0;
}

int ek_port_self_test(void) {
  int failed = check_arithmetic();
  if (failed == 0) {
    failed = check_memory();
  }
#ifdef __XTENSA__
  if (failed == 0) {
    failed = ek_port_core_test();
  }
#endif
  return failed;
}
