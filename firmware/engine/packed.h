/* Weights that are stored small and unpacked some channels at a time. Twin: edgekit/engine/packings/.
 *
 * The weights are one stream, in the order in which a kernel takes them, cut into units of equal length which
 * are unpacked one after another. The codes of a unit fill whole bytes. */
#ifndef EK_PACKED_H
#define EK_PACKED_H

#include <stdint.h>

/* What is still to be unpacked. */
typedef struct {
  const uint8_t *codes;
  const int8_t *values; /* what codes stand for, where they need it */
} ek_packed;

/* Unpacks the next unit, `count` weights, and returns what is left. */
typedef ek_packed ek_unpack(ek_packed packed, int8_t *to, int32_t count);

#endif
