/* A function of int16 as a table of 513 entries, one for each 128 inputs, with a straight line between two.
 */
#ifndef EK_LOOKUP_S16_H
#define EK_LOOKUP_S16_H

#include <stdint.h>

/* table: (513); entry 512 only ends the last line. */
static inline int16_t ek_lookup_s16(const int16_t *table, int32_t x) {
  const int16_t *entry = table + 256 + (x >> 7);
  const int16_t slope = (int16_t)(entry[1] - entry[0]);
  return (int16_t)(entry[0] + ((slope * (x & 0x7f) + 64) >> 7));
}

#endif
