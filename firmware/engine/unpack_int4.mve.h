/* Two weights of 4 bits a byte, the first in its low half, 32 of them at a time.
 * Variant of unpack_int4.h for the feature `mve`. */
#ifndef EK_UNPACK_INT4_H
#define EK_UNPACK_INT4_H

#include "packed.h"

static inline ek_packed ek_unpack_int4(ek_packed packed, int8_t *to, int32_t count) {
#if defined(__ARM_FEATURE_MVE)
  int32_t blocks = count / 32;
  if (blocks > 0) {
    __asm__ volatile("1:\n"
                     "vldrb.8 q0, [%[codes]], #16\n"
                     "vshl.i8 q1, q0, #4\n"
                     "vshr.s8 q1, q1, #4\n"
                     "vshr.s8 q2, q0, #4\n"
                     "vst20.8 {q1, q2}, [%[to]]\n"
                     "vst21.8 {q1, q2}, [%[to]]!\n"
                     "subs %[blocks], #1\n"
                     "bne 1b\n"
                     : [codes] "+r"(packed.codes), [to] "+r"(to), [blocks] "+r"(blocks)
                     :
                     : "q0", "q1", "q2", "cc", "memory");
  }
  count %= 32;
#endif
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
