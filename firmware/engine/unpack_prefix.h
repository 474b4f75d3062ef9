/* Prefix codes of runs of zeros and of the weights behind them; each unit begins in the highest bit of a
 * byte. Up to 4 bytes behind the last one may be read. Twin: edgekit/engine/packings/prefix.py. */
#ifndef EK_UNPACK_PREFIX_H
#define EK_UNPACK_PREFIX_H

#include "packed.h"

#include <string.h>

/* The bits that come next, in the highest bits of a window. */
typedef struct {
  const uint8_t *next; /* byte behind those in the window */
  uint32_t window;
  int32_t bits; /* in the window */
} ek_bits;

/* Fills the window with 25 bits or more. */
static inline void ek_fill_bits(ek_bits *bits) {
  for (; bits->bits <= 24; bits->bits += 8) {
    bits->window |= (uint32_t)*bits->next++ << (24 - bits->bits);
  }
}

/* The next symbol of a canonical code of at most 12 bits. code: the shortest length; where its symbols begin;
 * for each length the largest 16 bits that begin with a code of it or of a shorter one, lower byte first, and
 * what makes a code of it the place of its symbol, modulo 256; symbols. */
static inline uint32_t ek_next_symbol(ek_bits *bits, const uint8_t *code) {
  const uint8_t *symbols = code + code[1];
  const uint32_t begin = bits->window >> 16;
  int32_t length = *code;
  for (code += 2; begin > (code[0] | (uint32_t)code[1] << 8); code += 3) {
    ++length;
  }
  /* In two steps: a length may be 0. */
  const uint32_t place = code[2] + (bits->window >> 1 >> (31 - length));
  bits->window <<= length;
  bits->bits -= length;
  return symbols[place & 255];
}

static inline uint32_t ek_next_byte(ek_bits *bits) {
  const uint32_t byte = bits->window >> 24;
  bits->window <<= 8;
  bits->bits -= 8;
  return byte;
}

/* values: the longest run, which has no weight behind it, or 0 where weights stand alone; where the code of
 * weights begins, or 0 where they are 8 bits each; the codes. */
static inline ek_packed ek_unpack_prefix(ek_packed packed, int8_t *to, int32_t count) {
  const uint8_t *table = (const uint8_t *)packed.values;
  const uint32_t longest_run = table[0];
  const uint8_t *values = table + table[1];
  ek_bits bits = {packed.codes, 0, 0};
  if (longest_run == 0) {
    for (; count > 0; --count) {
      ek_fill_bits(&bits);
      *to++ = (int8_t)ek_next_symbol(&bits, values);
    }
  } else {
    memset(to, 0, (size_t)count);
  }
  while (count > 0) {
    ek_fill_bits(&bits);
    const uint32_t run = ek_next_symbol(&bits, table + 2);
    if ((uint32_t)count <= run) {
      break;
    }
    count -= (int32_t)run;
    to += run;
    if (run < longest_run) {
      *to++ = (int8_t)(values == table ? ek_next_byte(&bits) : ek_next_symbol(&bits, values));
      --count;
    }
  }
  packed.codes = bits.next - bits.bits / 8;
  return packed;
}

#endif
