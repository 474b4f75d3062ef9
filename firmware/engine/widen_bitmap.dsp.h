/* Weights of unpack_bitmap.h as widen.dsp.h describes them. */
#ifndef EK_WIDEN_BITMAP_DSP_H
#define EK_WIDEN_BITMAP_DSP_H

#include "unpack_bitmap.h"
#include "widen.dsp.h"

static inline ek_packed ek_widen_bitmap(ek_packed packed, uint32_t *to, int32_t groups,
                                        const uint32_t *table) {
  (void)table;
  return ek_widen_unpacked(packed, ek_unpack_bitmap, to, groups);
}

#endif
