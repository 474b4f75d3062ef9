/* Bytes to int16 on the LX6. Activations become unsigned on the way, x + 128, which saves their sign
 * extension; what the sums of a channel start with makes up for it. */
#ifndef EK_WIDEN_MAC16_H
#define EK_WIDEN_MAC16_H

#include "opcodes.mac16.h"

#include <stdint.h>

/* Widens 4 * quads bytes, quads >= 1, from aligned memory to aligned memory: byte 0, 2, 1, 3 of each word. */
static inline void ek_widen_words_mac16(int16_t *to, const int8_t *from, int32_t quads) {
#ifdef __XTENSA__
  uint32_t word, even;
  __asm__ volatile(EK_PLACE(2) EK_LOOP("%[quads]") "l32i.n %[word], %[from], 0\n"
                                                   "addi.n %[from], %[from], 4\n"
                                                   "xor %[word], %[word], %[sign]\n"
                                                   "and %[even], %[word], %[mask]\n"
                                                   "srli %[word], %[word], 8\n"
                                                   "and %[word], %[word], %[mask]\n"
                                                   "s32i.n %[even], %[to], 0\n"
                                                   "s32i.n %[word], %[to], 4\n"
                                                   "addi.n %[to], %[to], 8\n" EK_LOOP_END EK_PLACE_END
                   : [word] "=&r"(word), [even] "=&r"(even), [to] "+&r"(to), [from] "+&r"(from)
                   : [quads] "r"(quads), [sign] "r"(0x80808080u), [mask] "r"(0x00FF00FFu)
                   : "memory");
#else
  for (; quads > 0; --quads, to += 4, from += 4) {
    to[0] = (int16_t)(from[0] + 128);
    to[1] = (int16_t)(from[2] + 128);
    to[2] = (int16_t)(from[1] + 128);
    to[3] = (int16_t)(from[3] + 128);
  }
#endif
}

/* Widens bytes in their order. */
static inline void ek_widen_bytes_mac16(int16_t *to, const int8_t *from, int32_t count) {
  for (; count > 0; --count) {
    *to++ = (int16_t)(*from++ + 128);
  }
}

/* Widens a vector of `depth` activations to `quads` fours. by_words: it is aligned words, whose bytes change
 * places. */
static inline void ek_widen_vector_mac16(int16_t *to, const int8_t *from, int32_t depth, int32_t quads,
                                         int32_t by_words) {
  if (by_words) {
    ek_widen_words_mac16(to, from, quads);
  } else {
    ek_widen_bytes_mac16(to, from, depth);
  }
}

#endif
