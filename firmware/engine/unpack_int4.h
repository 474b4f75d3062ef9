/* Two weights of 4 bits a byte, the first in its low half. Twin: edgekit/engine/packings/int4.py. */
#ifndef EK_UNPACK_INT4_H
#define EK_UNPACK_INT4_H

#include "packed.h"

/* The four weights of two bytes, a byte each: halves are spread out, then their sign is. */
static inline uint32_t ek_four_of_int4(const uint8_t *codes) {
  uint32_t four = codes[0] | (uint32_t)codes[1] << 16;
  four = (four | four << 4) & 0x0F0F0F0Fu;
  return ((four ^ 0x88888888u) - 0x08080808u) ^ 0x80808080u;
}

static inline ek_packed ek_unpack_int4(ek_packed packed, int8_t *to, int32_t count) {
  for (; count >= 8; count -= 8, to += 8, packed.codes += 4) {
    ek_store_four(to, ek_four_of_int4(packed.codes));
    ek_store_four(to + 4, ek_four_of_int4(packed.codes + 2));
  }
  for (; count > 0; count -= 2) {
    const int32_t pair = *packed.codes++;
    *to++ = (int8_t)(((pair & 15) ^ 8) - 8);
    if (count > 1) {
      *to++ = (int8_t)((pair >> 4 ^ 8) - 8);
    }
  }
  return packed;
}

#endif
