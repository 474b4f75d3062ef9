/* Prefix codes of runs of zeros and of the weights behind them; each unit begins in the highest bit of a
 * byte. Up to 4 bytes behind the last one may be read. Twin: edgekit/engine/packings/prefix.py. */
#ifndef EK_UNPACK_PREFIX_H
#define EK_UNPACK_PREFIX_H

#include "packed.h"

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

/* A canonical code of at most 12 bits. */
typedef struct {
  const uint8_t *rows;
  const uint8_t *symbols;
  int32_t shift; /* 31 less the shortest length */
} ek_code;

/* table: the shortest length; where the symbols begin; rows; symbols. A row for each length up to 8: the
 * largest 8 bits that begin with a code of it or of a shorter one, and what makes a code of it the place of
 * its symbol, modulo 256. Where there are longer ones, 255, and rows whose largest bits are 16, lower byte
 * first.
 */
static inline ek_code ek_code_of(const uint8_t *table) {
  const ek_code code = {table + 2, table + table[1], 31 - table[0]};
  return code;
}

static inline uint32_t ek_next_symbol(ek_bits *bits, ek_code code) {
  const uint8_t *row = code.rows;
  int32_t shift = code.shift;
  for (const uint32_t begin = bits->window >> 24; begin > *row; row += 2) {
    --shift;
  }
  if (shift < 31 - 8) {
    ++row;
    for (const uint32_t begin = bits->window >> 16; begin > (row[0] | (uint32_t)row[1] << 8); row += 3) {
      --shift;
    }
    ++row;
  }
  const uint32_t place = row[1] + (bits->window >> 1 >> shift);
  bits->window <<= 31 - shift;
  bits->bits -= 31 - shift;
  return code.symbols[place & 255];
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
  const int are_coded = table[1] != 0;
  const ek_code runs = ek_code_of(table + 2);
  const ek_code values = ek_code_of(table + table[1]);
  ek_bits bits = {packed.codes, 0, 0};
  if (longest_run == 0) {
    for (; count > 0; --count) {
      ek_fill_bits(&bits);
      *to++ = (int8_t)ek_next_symbol(&bits, values);
    }
  } else {
    ek_clear_unit(to, count);
  }
  while (count > 0) {
    ek_fill_bits(&bits);
    const uint32_t run = ek_next_symbol(&bits, runs);
    if ((uint32_t)count <= run) {
      break;
    }
    count -= (int32_t)run;
    to += run;
    if (run < longest_run) {
      *to++ = (int8_t)(are_coded ? ek_next_symbol(&bits, values) : ek_next_byte(&bits));
      --count;
    }
  }
  packed.codes = bits.next - bits.bits / 8;
  return packed;
}

#endif
