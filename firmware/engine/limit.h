/* Limits of integers. */
#ifndef EK_LIMIT_H
#define EK_LIMIT_H

#include <stdint.h>

/* Limits a value to [low, high]. */
static inline int32_t ek_limit(int32_t value, int32_t low, int32_t high) {
  value = value < low ? low : value;
  return value > high ? high : value;
}

#endif
