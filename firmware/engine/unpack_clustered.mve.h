/* Codes of 4 bits, two a byte, that are places in a table of at most 16 weights, 32 of them at a time.
 * Variant of unpack_clustered.h for the feature `mve`. */
#ifndef EK_UNPACK_CLUSTERED_H
#define EK_UNPACK_CLUSTERED_H

#include "packed.h"

static inline ek_packed ek_unpack_clustered(ek_packed packed, int8_t *to, int32_t count) {
#if defined(__ARM_FEATURE_MVE)
  int32_t blocks = count / 32;
  if (blocks > 0) {
    __asm__ volatile("vmov.i8 q3, #15\n"
                     "1:\n"
                     "vldrb.8 q0, [%[codes]], #16\n"
                     "vand q1, q0, q3\n"
                     "vshr.u8 q2, q0, #4\n"
                     "vldrb.u8 q4, [%[values], q1]\n"
                     "vldrb.u8 q5, [%[values], q2]\n"
                     "vst20.8 {q4, q5}, [%[to]]\n"
                     "vst21.8 {q4, q5}, [%[to]]!\n"
                     "subs %[blocks], #1\n"
                     "bne 1b\n"
                     : [codes] "+r"(packed.codes), [to] "+r"(to), [blocks] "+r"(blocks)
                     : [values] "r"(packed.values)
                     : "q0", "q1", "q2", "q3", "q4", "q5", "cc", "memory");
  }
  count %= 32;
#endif
  for (; count > 1; count -= 2) {
    const uint32_t pair = *packed.codes++;
    *to++ = packed.values[pair & 15];
    *to++ = packed.values[pair >> 4];
  }
  if (count > 0) {
    *to = packed.values[*packed.codes++ & 15];
  }
  return packed;
}

#endif
