/* Two weights of 4 bits a byte, the first in its low half. Twin: edgekit/engine/packings/int4.py. */
#ifndef EK_UNPACK_INT4_H
#define EK_UNPACK_INT4_H

#include "packed.h"

static inline ek_packed ek_unpack_int4(ek_packed packed, int8_t *to, int32_t count) {
  for (; count > 1; count -= 2) {
    const int32_t pair = *packed.codes++;
    *to++ = (int8_t)(((pair & 15) ^ 8) - 8);
    *to++ = (int8_t)((pair >> 4 ^ 8) - 8);
  }
  if (count > 0) {
    *to = (int8_t)(((*packed.codes++ & 15) ^ 8) - 8);
  }
  return packed;
}

#endif
