/* Numbers in frames: low byte first, at any alignment. */
#ifndef EK_BYTES_H
#define EK_BYTES_H

#include <stdint.h>

static inline uint32_t ek_get_u16(const uint8_t *from) {
  return (uint32_t)from[0] | (uint32_t)from[1] << 8;
}

static inline uint32_t ek_get_u32(const uint8_t *from) {
  return ek_get_u16(from) | ek_get_u16(from + 2) << 16;
}

/* Returns the byte behind the number. */
static inline uint8_t *ek_put_u32(uint8_t *to, uint32_t value) {
  for (uint32_t i = 0; i < 4; ++i) {
    to[i] = (uint8_t)(value & 0xFFu);
    value >>= 8;
  }
  return to + 4;
}

#endif
