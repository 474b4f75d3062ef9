/* The weights of four channels, however they are stored, as a wide block of tile.dsp.h wants them: twice
 * their value, in halves. Twin: edgekit/engine/cores/dsp/_runs.py, which says in which order each of them
 * stands.
 *
 * Each writes (groups, 2, 4 channels) words and returns what is left of the stream. */
#ifndef EK_WIDEN_DSP_H
#define EK_WIDEN_DSP_H

#include "packed.h"
#include "simd.dsp.h"

/* table: what the two codes of a byte stand for, where the stream has such codes. */
typedef ek_packed ek_widen(ek_packed packed, uint32_t *to, int32_t groups, const uint32_t *table);

#define EK_PAIR_TABLE_BYTES 1024

/* What each byte of two codes stands for: halves, 256 words, of which those of codes that there are count. */
static inline void ek_pair_table(const int8_t *values, int32_t count, uint32_t *table) {
  uint32_t low[16] = {0};
  for (int32_t code = 0; code < count; ++code) {
    low[code] = (uint32_t)(uint8_t)values[code] << 8;
  }
  for (int32_t high = 0; high < count; ++high) {
    const uint32_t upper = low[high] << 16;
    for (int32_t code = 0; code < 16; code += 4, table += 4) {
      table[0] = low[code] | upper;
      table[1] = low[code + 1] | upper;
      table[2] = low[code + 2] | upper;
      table[3] = low[code + 3] | upper;
    }
  }
}

#ifdef __ARM_FEATURE_DSP

/* clang-format off */
/* Bytes: for each group a word of each channel. */
static __attribute__((noinline)) const int8_t *ek_widen_bytes(const int8_t *from, uint32_t *to, int32_t groups) {
  register const int8_t *r0 __asm__("r0") = from;
  register uint32_t *r1 __asm__("r1") = to;
  register int32_t r2 __asm__("r2") = groups;
  __asm__ volatile(
    "mov r11, #0xFF00FF00\n\t"
    "1:\n\t"
    "ldr r3, [r0], #4\n\t"
    "ldr r4, [r0], #4\n\t"
    "ldr r5, [r0], #4\n\t"
    "ldr r6, [r0], #4\n\t"
    "and r8, r11, r3, lsl #8\n\t"
    "and r9, r11, r4, lsl #8\n\t"
    "and r10, r11, r5, lsl #8\n\t"
    "and r12, r11, r6, lsl #8\n\t"
    "stmia.w r1!, {r8, r9, r10, r12}\n\t"
    "and r3, r3, r11\n\t"
    "and r4, r4, r11\n\t"
    "and r5, r5, r11\n\t"
    "and r6, r6, r11\n\t"
    "stmia.w r1!, {r3, r4, r5, r6}\n\t"
    "subs r2, #1\n\t"
    "bne.n 1b\n\t"
    : "+r"(r0), "+r"(r1), "+r"(r2)
    : : "r3", "r4", "r5", "r6", "r8", "r9", "r10", "r11", "r12", "cc", "memory");
  return r0;
}

#define EK_WIDEN_EIGHT_NIBBLES \
  "ldr r3, [r0], #4\n\t" \
  "and r5, r4, r3, lsl #12\n\t" \
  "and r6, r4, r3, lsl #8\n\t" \
  "and r8, r4, r3, lsl #4\n\t" \
  "and r9, r3, r4\n\t" \
  "stmia.w r1!, {r5, r6, r8, r9}\n\t"

/* Codes of 4 bits: bits 4 * i and 4 * (i + 4) of a word begin the halves of word i. */
static __attribute__((noinline)) const uint8_t *ek_widen_nibbles(const uint8_t *from, uint32_t *to,
                                                                 int32_t groups) {
  register const uint8_t *r0 __asm__("r0") = from;
  register uint32_t *r1 __asm__("r1") = to;
  register int32_t r2 __asm__("r2") = groups;
  __asm__ volatile(
    "mov r4, #0xF000F000\n\t"
    "1:\n\t"
    EK_WIDEN_EIGHT_NIBBLES
    EK_WIDEN_EIGHT_NIBBLES
    "subs r2, #1\n\t"
    "bne.n 1b\n\t"
    : "+r"(r0), "+r"(r1), "+r"(r2)
    : : "r3", "r4", "r5", "r6", "r8", "r9", "cc", "memory");
  return r0;
}
#undef EK_WIDEN_EIGHT_NIBBLES

#define EK_WIDEN_FOUR_PAIRS \
  "ldr r12, [r0], #4\n\t" \
  "uxtb r4, r12\n\t" \
  "ubfx r5, r12, #8, #8\n\t" \
  "ubfx r6, r12, #16, #8\n\t" \
  "lsr r12, r12, #24\n\t" \
  "ldr r4, [r3, r4, lsl #2]\n\t" \
  "ldr r5, [r3, r5, lsl #2]\n\t" \
  "ldr r6, [r3, r6, lsl #2]\n\t" \
  "ldr r12, [r3, r12, lsl #2]\n\t" \
  "stmia.w r1!, {r4, r5, r6, r12}\n\t"

/* Codes of 4 bits, both halves of a word in one byte, looked up together. */
static __attribute__((noinline)) const uint8_t *ek_widen_places(const uint8_t *from, uint32_t *to, int32_t groups,
                                                                const uint32_t *table) {
  register const uint8_t *r0 __asm__("r0") = from;
  register uint32_t *r1 __asm__("r1") = to;
  register int32_t r2 __asm__("r2") = groups;
  register const uint32_t *r3 __asm__("r3") = table;
  __asm__ volatile(
    "1:\n\t"
    EK_WIDEN_FOUR_PAIRS
    EK_WIDEN_FOUR_PAIRS
    "subs r2, #1\n\t"
    "bne.n 1b\n\t"
    : "+r"(r0), "+r"(r1), "+r"(r2), "+r"(r3)
    : : "r4", "r5", "r6", "r12", "cc", "memory");
  return r0;
}
#undef EK_WIDEN_FOUR_PAIRS
/* clang-format on */

#else

static inline const int8_t *ek_widen_bytes(const int8_t *from, uint32_t *to, int32_t groups) {
  for (; groups > 0; --groups, from += 16, to += 8) {
    uint32_t words[4];
    memcpy(words, from, sizeof words);
    for (int channel = 0; channel < 4; ++channel) {
      to[channel] = words[channel] << 8 & 0xFF00FF00u;
      to[channel + 4] = words[channel] & 0xFF00FF00u;
    }
  }
  return from;
}

static inline const uint8_t *ek_widen_nibbles(const uint8_t *from, uint32_t *to, int32_t groups) {
  for (const uint8_t *end = from + 8 * groups; from != end; from += 4) {
    const uint32_t codes = ek_load_word((const int8_t *)from);
    for (int half = 3; half >= 0; --half) {
      *to++ = codes << 4 * half & 0xF000F000u;
    }
  }
  return from;
}

static inline const uint8_t *ek_widen_places(const uint8_t *from, uint32_t *to, int32_t groups,
                                             const uint32_t *table) {
  for (const uint8_t *end = from + 8 * groups; from != end; ++from) {
    *to++ = table[*from];
  }
  return from;
}

#endif

static inline ek_packed ek_widen_int8(ek_packed packed, uint32_t *to, int32_t groups, const uint32_t *table) {
  (void)table;
  packed.codes = (const uint8_t *)ek_widen_bytes((const int8_t *)packed.codes, to, groups);
  return packed;
}

static inline ek_packed ek_widen_int4(ek_packed packed, uint32_t *to, int32_t groups, const uint32_t *table) {
  (void)table;
  packed.codes = ek_widen_nibbles(packed.codes, to, groups);
  return packed;
}

static inline ek_packed ek_widen_clustered(ek_packed packed, uint32_t *to, int32_t groups,
                                           const uint32_t *table) {
  packed.codes = ek_widen_places(packed.codes, to, groups, table);
  return packed;
}

/* Any packing: bytes behind the half of the words that they take, which are read before the words reach
 * them. */
static inline ek_packed ek_widen_unpacked(ek_packed packed, ek_unpack *unpack, uint32_t *to, int32_t groups) {
  int8_t *bytes = (int8_t *)(to + 4 * groups);
  packed = unpack(packed, bytes, 16 * groups);
  ek_widen_bytes(bytes, to, groups);
  return packed;
}

#endif
