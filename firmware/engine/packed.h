/* Weights that are stored small and unpacked some channels at a time. Twin: edgekit/engine/packings/.
 *
 * The weights are one stream, in the order in which a kernel takes them, cut into units of equal length which
 * are unpacked one after another. The codes of a unit fill whole bytes. */
#ifndef EK_PACKED_H
#define EK_PACKED_H

#include <stdint.h>
#include <string.h>

/* What is still to be unpacked. */
typedef struct {
  const uint8_t *codes;
  const int8_t *values; /* what codes stand for, where they need it */
} ek_packed;

/* Unpacks the next unit, `count` weights, and returns what is left. to: 4-byte aligned. */
typedef ek_packed ek_unpack(ek_packed packed, int8_t *to, int32_t count);

/* Stores 4 weights at once, the first in the lowest byte, on a little-endian core. to: 4-byte aligned. */
static inline void ek_store_four(int8_t *to, uint32_t four) {
#if defined(__GNUC__)
  memcpy(__builtin_assume_aligned(to, 4), &four, 4);
#else
  memcpy(to, &four, 4);
#endif
}

/* Fills a unit with zeros, words at a time: the memset of small C libraries takes bytes. to: 4-byte aligned.
 */
static inline void ek_clear_unit(int8_t *to, int32_t count) {
  for (; count >= 16; count -= 16, to += 16) {
    ek_store_four(to, 0);
    ek_store_four(to + 4, 0);
    ek_store_four(to + 8, 0);
    ek_store_four(to + 12, 0);
  }
  for (; count > 0; --count) {
    *to++ = 0;
  }
}

#endif
