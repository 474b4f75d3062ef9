/* A bit for each weight that is not zero, the first in the lowest bit of a byte; those weights stand in
 * `values`, from which the next ones are taken. Twin: edgekit/engine/packings/bitmap.py. */
#ifndef EK_UNPACK_BITMAP_H
#define EK_UNPACK_BITMAP_H

#include "packed.h"

#define EK_TAKE_MARKED(place)                                                                                \
  if ((marks & (1u << (place))) != 0) {                                                                      \
    eight[place] = *packed.values++;                                                                         \
  }

static inline ek_packed ek_unpack_bitmap(ek_packed packed, int8_t *to, int32_t count) {
  ek_clear_unit(to, count);
  for (int32_t first = 0; first < count; first += 8) {
    int8_t *eight = to + first;
    const uint32_t marks = *packed.codes++;
    if (marks != 0) {
      EK_TAKE_MARKED(0)
      EK_TAKE_MARKED(1)
      EK_TAKE_MARKED(2)
      EK_TAKE_MARKED(3)
      EK_TAKE_MARKED(4)
      EK_TAKE_MARKED(5)
      EK_TAKE_MARKED(6)
      EK_TAKE_MARKED(7)
    }
  }
  return packed;
}

#endif
