/* Activations without a sign, x + 128, which saves its extension; what the sums of a channel start with makes
 * up for it. */
#ifndef EK_UNSIGNED_MAC16_H
#define EK_UNSIGNED_MAC16_H

#include <stdint.h>
#include <string.h>

/* Copies bytes; by_words: both are aligned to 4 bytes, and count is a multiple of 4. */
static inline void ek_unsigned_mac16(uint8_t *to, const int8_t *from, int32_t count, int32_t by_words) {
  if (by_words) {
    for (; count > 0; count -= 4, to += 4, from += 4) {
      uint32_t word;
      memcpy(&word, __builtin_assume_aligned(from, 4), 4);
      word ^= 0x80808080u;
      memcpy(__builtin_assume_aligned(to, 4), &word, 4);
    }
  }
  for (; count > 0; --count) {
    *to++ = (uint8_t)(*from++ + 128);
  }
}

#endif
