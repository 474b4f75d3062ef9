/* Codes of 4 bits, two a byte, that are places in a table of at most 16 weights.
 * Twin: edgekit/engine/packings/clustered.py. */
#ifndef EK_UNPACK_CLUSTERED_H
#define EK_UNPACK_CLUSTERED_H

#include "packed.h"

static inline void ek_two_of_clusters(ek_packed packed, int32_t place, int8_t *to) {
  const uint32_t pair = packed.codes[place];
  to[0] = packed.values[pair & 15];
  to[1] = packed.values[pair >> 4];
}

static inline ek_packed ek_unpack_clustered(ek_packed packed, int8_t *to, int32_t count) {
  for (; count >= 8; count -= 8, to += 8, packed.codes += 4) {
    ek_two_of_clusters(packed, 0, to);
    ek_two_of_clusters(packed, 1, to + 2);
    ek_two_of_clusters(packed, 2, to + 4);
    ek_two_of_clusters(packed, 3, to + 6);
  }
  for (; count > 1; count -= 2, to += 2, ++packed.codes) {
    ek_two_of_clusters(packed, 0, to);
  }
  if (count > 0) {
    *to = packed.values[*packed.codes++ & 15];
  }
  return packed;
}

#endif
