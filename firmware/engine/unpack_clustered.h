/* Codes of 4 bits, two a byte, that are places in a table of at most 16 weights.
 * Twin: edgekit/engine/packings/clustered.py. */
#ifndef EK_UNPACK_CLUSTERED_H
#define EK_UNPACK_CLUSTERED_H

#include "packed.h"

static inline ek_packed ek_unpack_clustered(ek_packed packed, int8_t *to, int32_t count) {
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
