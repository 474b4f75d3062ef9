/* Weights of unpack_prefix.h as widen.dsp.h describes them. */
#ifndef EK_WIDEN_PREFIX_DSP_H
#define EK_WIDEN_PREFIX_DSP_H

#include "unpack_prefix.h"
#include "widen.dsp.h"

static inline ek_packed ek_widen_prefix(ek_packed packed, uint32_t *to, int32_t groups,
                                        const uint32_t *table) {
  (void)table;
  return ek_widen_unpacked(packed, ek_unpack_prefix, to, groups);
}

#endif
