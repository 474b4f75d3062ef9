/* Two int4 in a byte, the low half first, each with its sign. */
#ifndef EK_INT4_H
#define EK_INT4_H

#include <stdint.h>

static inline int32_t ek_int4_low(int8_t pair) {
  return (int32_t)((uint32_t)pair << 28) >> 28;
}

static inline int32_t ek_int4_high(int8_t pair) {
  return pair >> 4;
}

/* Element i of a packed row. */
static inline int32_t ek_int4(const int8_t *packed, int32_t i) {
  return (i & 1) ? ek_int4_high(packed[i >> 1]) : ek_int4_low(packed[i >> 1]);
}

#endif
