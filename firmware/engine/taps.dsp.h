/* The weights of a 3x3 window of four channels, however they are stored, as strip.dsp.h wants them: five
 * words of nine for each channel, twice their value in halves, the channels in the order 0, 2, 1, 3. Twin:
 * edgekit/engine/cores/dsp/_strip.py. */
#ifndef EK_TAPS_DSP_H
#define EK_TAPS_DSP_H

#include "packed.h"
#include "simd.dsp.h"

/* back: how many channels the next four begin in front of the end of those before, of a stream that has each
 * once. Returns what is left of the stream. */
typedef ek_packed ek_taps(ek_packed packed, int32_t back, uint32_t *words);

#ifdef __ARM_FEATURE_DSP

/* clang-format off */
/* (row 2 of columns 0 and 1) in r6, the last weight in r12: columns 1 and 2 in r12. */
#define EK_TAPS_STORE \
  "lsl r12, r12, #17\n\t" \
  "pkhtb r12, r12, r6, asr #16\n\t" \
  "stmia.w r0!, {r3, r4, r5, r6, r12}\n\t" \
  "add r0, r0, #16\n\t"

/* (channels, 9) bytes: rows 0 and 1 of columns 0 and 1, column 2 beside row 2. */
static __attribute__((noinline)) void ek_taps_from_bytes(const int8_t *from, uint32_t *to) {
  register uint32_t *r0 __asm__("r0") = to;
  register const int8_t *r1 __asm__("r1") = from;
#define EK_TAPS_CHANNEL(FIRST, SECOND, LAST) \
  "ldr r4, [r1, #" FIRST "]\n\t" \
  "ldr r6, [r1, #" SECOND "]\n\t" \
  "ldrsb r12, [r1, #" LAST "]\n\t" \
  "sxtb16 r3, r4\n\t" \
  "sxtb16 r5, r6\n\t" \
  "sxtb16 r4, r4, ror #8\n\t" \
  "sxtb16 r6, r6, ror #8\n\t" \
  "sadd16 r3, r3, r3\n\t" \
  "sadd16 r4, r4, r4\n\t" \
  "sadd16 r5, r5, r5\n\t" \
  "sadd16 r6, r6, r6\n\t" \
  EK_TAPS_STORE
  __asm__ volatile(
    EK_TAPS_CHANNEL("0", "4", "8")
    EK_TAPS_CHANNEL("18", "22", "26")
    EK_TAPS_CHANNEL("9", "13", "17")
    EK_TAPS_CHANNEL("27", "31", "35")
    : "+r"(r0), "+r"(r1) : : "r3", "r4", "r5", "r6", "r12", "cc", "memory");
#undef EK_TAPS_CHANNEL
}

/* Of four channels in order 8 codes of 4 bits each, halves of four words in bits 4 * i and 4 * (i + 4), then the
 * last ones of all. Flipping the highest bit of each makes them unsigned, a difference makes them signed again. */
static __attribute__((noinline)) const uint8_t *ek_taps_from_nibbles(const uint8_t *from, uint32_t *to) {
  register uint32_t *r0 __asm__("r0") = to;
  register const uint8_t *r1 __asm__("r1") = from;
#define EK_TAPS_CHANNEL(LAST) \
  "ldr r6, [r1], #4\n\t" \
  "sbfx r12, r11, #" LAST ", #4\n\t" \
  "eor r6, r6, r10\n\t" \
  "and r3, r8, r6, lsl #1\n\t" \
  "and r4, r8, r6, lsr #3\n\t" \
  "and r5, r8, r6, lsr #7\n\t" \
  "and r6, r8, r6, lsr #11\n\t" \
  "ssub16 r3, r3, r9\n\t" \
  "ssub16 r4, r4, r9\n\t" \
  "ssub16 r5, r5, r9\n\t" \
  "ssub16 r6, r6, r9\n\t" \
  EK_TAPS_STORE
  __asm__ volatile(
    "mov r8, #0x001E001E\n\t"
    "mov r9, #0x00100010\n\t"
    "mov r10, #0x88888888\n\t"
    "ldrh r11, [r1, #16]\n\t"
    EK_TAPS_CHANNEL("0")
    EK_TAPS_CHANNEL("4")
    EK_TAPS_CHANNEL("8")
    EK_TAPS_CHANNEL("12")
    "add r1, r1, #2\n\t"
    : "+r"(r0), "+r"(r1)
    : : "r3", "r4", "r5", "r6", "r8", "r9", "r10", "r11", "r12", "cc", "memory");
#undef EK_TAPS_CHANNEL
  return r1;
}

/* The same of codes that are places in a table. */
static __attribute__((noinline)) const uint8_t *ek_taps_from_places(const uint8_t *from, const int8_t *values,
                                                                    uint32_t *to) {
  register uint32_t *r0 __asm__("r0") = to;
  register const uint8_t *r1 __asm__("r1") = from;
  register const int8_t *r2 __asm__("r2") = values;
#define EK_TAPS_PAIR(TO, LOW, HIGH) \
  "ubfx " TO ", r6, #" LOW ", #4\n\t" \
  "ubfx r8, r6, #" HIGH ", #4\n\t" \
  "ldrsb " TO ", [r2, " TO "]\n\t" \
  "ldrsb r8, [r2, r8]\n\t" \
  "pkhbt " TO ", " TO ", r8, lsl #16\n\t" \
  "sadd16 " TO ", " TO ", " TO "\n\t"
#define EK_TAPS_CHANNEL(LAST) \
  "ldr r6, [r1], #4\n\t" \
  "ubfx r12, r9, #" LAST ", #4\n\t" \
  "ldrsb r12, [r2, r12]\n\t" \
  EK_TAPS_PAIR("r3", "0", "16") \
  EK_TAPS_PAIR("r4", "4", "20") \
  EK_TAPS_PAIR("r5", "8", "24") \
  "ubfx r8, r6, #12, #4\n\t" \
  "lsr r6, r6, #28\n\t" \
  "ldrsb r8, [r2, r8]\n\t" \
  "ldrsb r6, [r2, r6]\n\t" \
  "pkhbt r6, r8, r6, lsl #16\n\t" \
  "sadd16 r6, r6, r6\n\t" \
  EK_TAPS_STORE
  __asm__ volatile(
    "ldrh r9, [r1, #16]\n\t"
    EK_TAPS_CHANNEL("0")
    EK_TAPS_CHANNEL("4")
    EK_TAPS_CHANNEL("8")
    EK_TAPS_CHANNEL("12")
    "add r1, r1, #2\n\t"
    : "+r"(r0), "+r"(r1), "+r"(r2) : : "r3", "r4", "r5", "r6", "r8", "r9", "r12", "cc", "memory");
#undef EK_TAPS_CHANNEL
#undef EK_TAPS_PAIR
  return r1;
}
#undef EK_TAPS_STORE

/* What stands behind the weights of each channel. scales: (4, 2) twice the bias, multiplier; shifts: (4). */
static __attribute__((noinline)) void ek_frame_taps(const int32_t *scales, const int8_t *shifts, int32_t rounding,
                                                    uint32_t *to) {
  register const int32_t *r0 __asm__("r0") = scales;
  register const int8_t *r1 __asm__("r1") = shifts;
  register int32_t r2 __asm__("r2") = rounding;
  register uint32_t *r3 __asm__("r3") = to;
#define EK_TAPS_SCALE(SCALES, SHIFT, NEXT, WORDS, LAST_WORDS) \
  "ldrd r4, r5, [r0, #" SCALES "]\n\t" \
  "ldrb r6, [r1, #" SHIFT "]\n\t" \
  "sub r8, r6, #1\n\t" \
  "lsl r8, r2, r8\n\t" \
  NEXT \
  "strd r4, r5, [r3, #" WORDS "]\n\t" \
  "strd r8, r6, [r3, #" LAST_WORDS "]\n\t"
  __asm__ volatile(
    EK_TAPS_SCALE("0", "0", "add r6, r6, #512\n\t", "20", "28")
    EK_TAPS_SCALE("16", "2", "sub r6, r6, #256\n\t", "56", "64")
    EK_TAPS_SCALE("8", "1", "add r6, r6, #512\n\t", "92", "100")
    EK_TAPS_SCALE("24", "3", "", "128", "136")
    : "+r"(r0), "+r"(r1), "+r"(r2), "+r"(r3) : : "r4", "r5", "r6", "r8", "memory");
#undef EK_TAPS_SCALE
}
/* clang-format on */

#else

static inline void ek_taps_from_bytes(const int8_t *from, uint32_t *to) {
  for (int place = 0; place < 4; ++place, to += 9) {
    const int8_t *weights = from + 9 * (place == 1 ? 2 : place == 2 ? 1 : place);
    const uint32_t low = ek_load_word(weights);
    const uint32_t high = ek_load_word(weights + 4);
    to[0] = ek_double_halves(ek_even_bytes(low));
    to[1] = ek_double_halves(ek_odd_bytes(low));
    to[2] = ek_double_halves(ek_even_bytes(high));
    to[3] = ek_double_halves(ek_odd_bytes(high));
    to[4] = ek_low_halves(to[3] >> 16, (uint32_t)(2 * weights[8]));
  }
}

/* Of four channels 8 codes of 4 bits each, then the last ones of all; values: twice what they stand for. */
static inline const uint8_t *ek_taps_of_codes(const uint8_t *from, const int32_t values[16], uint32_t *to) {
  uint32_t last = from[16] | (uint32_t)from[17] << 8;
  for (int place = 0; place < 4; ++place, to += 9, from += 4, last >>= 4) {
    const uint32_t codes = ek_load_word((const int8_t *)from);
    for (int half = 0; half < 4; ++half) {
      to[half] = ek_halves(values[codes >> 4 * half & 15], values[codes >> 4 * (half + 4) & 15]);
    }
    to[4] = ek_low_halves(to[3] >> 16, (uint32_t)values[last & 15]);
  }
  return from + 2;
}

static inline const uint8_t *ek_taps_from_nibbles(const uint8_t *from, uint32_t *to) {
  int32_t values[16];
  for (int32_t code = 0; code < 16; ++code) {
    values[code] = 2 * ((code ^ 8) - 8);
  }
  return ek_taps_of_codes(from, values, to);
}

/* Codes may stand for fewer than 16 values: only those that occur are read. */
static inline const uint8_t *ek_taps_from_places(const uint8_t *from, const int8_t *table, uint32_t *to) {
  int32_t values[16] = {0};
  for (int byte = 0; byte < 18; ++byte) {
    values[from[byte] & 15] = 2 * table[from[byte] & 15];
    values[from[byte] >> 4] = 2 * table[from[byte] >> 4];
  }
  return ek_taps_of_codes(from, values, to);
}

static inline void ek_frame_taps(const int32_t *scales, const int8_t *shifts, int32_t rounding,
                                 uint32_t *to) {
  for (int32_t place = 0; place < 4; ++place, to += 9) {
    const int32_t order = place == 1 ? 2 : place == 2 ? 1 : place; /* as SXTB16 widens */
    const int32_t next = place == 3 ? 0 : place == 1 ? -1 : 2;
    to[5] = (uint32_t)scales[2 * order];
    to[6] = (uint32_t)scales[2 * order + 1];
    to[7] = (uint32_t)rounding << (shifts[order] - 1);
    to[8] = (uint32_t)(shifts[order] + next * 256);
  }
}

#endif

static inline ek_packed ek_taps_int8(ek_packed packed, int32_t back, uint32_t *words) {
  packed.codes -= 9 * back;
  ek_taps_from_bytes((const int8_t *)packed.codes, words);
  packed.codes += 36;
  return packed;
}

static inline ek_packed ek_taps_int4(ek_packed packed, int32_t back, uint32_t *words) {
  (void)back;
  packed.codes = ek_taps_from_nibbles(packed.codes, words);
  return packed;
}

static inline ek_packed ek_taps_clustered(ek_packed packed, int32_t back, uint32_t *words) {
  (void)back;
  packed.codes = ek_taps_from_places(packed.codes, packed.values, words);
  return packed;
}

#endif
