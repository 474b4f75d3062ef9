/* What the compiler calls and Debian's libgcc for the lx106 lacks (there the chip's ROM has it): division,
 * 64-bit products, and the single-precision arithmetic that quantizing a value needs. Plain C of 32-bit
 * additions, shifts and 32-bit products; nothing here divides, so nothing here calls itself.
 *
 * Tests build this file on a host under other names and compare it with the host's own arithmetic. */
#include <stdint.h>

#ifndef RUNTIME
#define RUNTIME(name) __##name
#endif

uint64_t RUNTIME(umulsidi3)(uint32_t a, uint32_t b);
int64_t RUNTIME(muldi3)(int64_t a, int64_t b);
uint32_t RUNTIME(udivsi3)(uint32_t a, uint32_t b);
uint32_t RUNTIME(umodsi3)(uint32_t a, uint32_t b);
int32_t RUNTIME(divsi3)(int32_t a, int32_t b);
uint64_t RUNTIME(udivdi3)(uint64_t a, uint64_t b);
uint64_t RUNTIME(umoddi3)(uint64_t a, uint64_t b);
int64_t RUNTIME(divdi3)(int64_t a, int64_t b);
float RUNTIME(addsf3)(float a, float b);
float RUNTIME(subsf3)(float a, float b);
float RUNTIME(mulsf3)(float a, float b);
float RUNTIME(floatsisf)(int32_t a);
float RUNTIME(floatunsisf)(uint32_t a);
uint32_t RUNTIME(fixunssfsi)(float a);

/* ---- Integers ---- */

/* A 64-bit number in halves: shifting by a variable amount would call the library. */
typedef union {
  uint64_t whole;
  struct {
    uint32_t low, high;
  } half;
} wide;

/* Leading zeros of a value that is not 0 (one instruction on Xtensa). */
static uint32_t leading_zeros(uint32_t a) {
  return (uint32_t)__builtin_clz(a);
}

/* Four products of 16-bit halves; the middle sum cannot overflow 32 bits before its carry is taken. */
uint64_t RUNTIME(umulsidi3)(uint32_t a, uint32_t b) {
  const uint32_t low = (a & 0xFFFFu) * (b & 0xFFFFu);
  const uint32_t left = (a >> 16) * (b & 0xFFFFu);
  const uint32_t right = (a & 0xFFFFu) * (b >> 16);
  const uint32_t middle = (low >> 16) + (left & 0xFFFFu) + (right & 0xFFFFu);
  wide product;
  product.half.low = (middle << 16) | (low & 0xFFFFu);
  product.half.high = (a >> 16) * (b >> 16) + (left >> 16) + (right >> 16) + (middle >> 16);
  return product.whole;
}

int64_t RUNTIME(muldi3)(int64_t a, int64_t b) {
  const wide x = {(uint64_t)a}, y = {(uint64_t)b};
  wide product = {RUNTIME(umulsidi3)(x.half.low, y.half.low)};
  product.half.high += x.half.low * y.half.high + x.half.high * y.half.low;
  return (int64_t)product.whole;
}

/* Long division, one bit a step, from the first bit where the divisor fits. Dividing by 0 gives the largest
 * quotient and leaves the dividend, as the chip's ROM does. */
static uint32_t divide(uint32_t a, uint32_t b, uint32_t *remainder) {
  uint32_t quotient = 0;
  if (b == 0) {
    *remainder = a;
    return UINT32_MAX;
  }
  if (a >= b) {
    uint32_t shift = leading_zeros(b) - leading_zeros(a);
    b <<= shift;
    for (;; --shift, b >>= 1) {
      quotient <<= 1;
      if (a >= b) {
        a -= b;
        quotient |= 1u;
      }
      if (shift == 0) {
        break;
      }
    }
  }
  *remainder = a;
  return quotient;
}

uint32_t RUNTIME(udivsi3)(uint32_t a, uint32_t b) {
  uint32_t remainder;
  return divide(a, b, &remainder);
}

uint32_t RUNTIME(umodsi3)(uint32_t a, uint32_t b) {
  uint32_t remainder;
  (void)divide(a, b, &remainder);
  return remainder;
}

static uint32_t magnitude(int32_t a) {
  return a < 0 ? 0u - (uint32_t)a : (uint32_t)a;
}

int32_t RUNTIME(divsi3)(int32_t a, int32_t b) {
  uint32_t remainder;
  const uint32_t quotient = divide(magnitude(a), magnitude(b), &remainder);
  return (int32_t)((a ^ b) < 0 ? 0u - quotient : quotient);
}

static uint32_t leading_zeros_wide(wide a) {
  return a.half.high != 0 ? leading_zeros(a.half.high) : 32u + leading_zeros(a.half.low);
}

/* As divide, with 64 bits; shifts by one only. */
static uint64_t divide_wide(uint64_t a, uint64_t b, uint64_t *remainder) {
  wide x = {a}, y = {b}, quotient = {0};
  if (b == 0) {
    *remainder = a;
    return UINT64_MAX;
  }
  if (x.half.high == 0 && y.half.high == 0) {
    uint32_t rest;
    quotient.half.low = divide(x.half.low, y.half.low, &rest);
    *remainder = rest;
    return quotient.whole;
  }
  if (x.whole >= y.whole) {
    uint32_t shift = leading_zeros_wide(y) - leading_zeros_wide(x);
    for (uint32_t i = 0; i < shift; ++i) {
      y.whole <<= 1;
    }
    for (;; --shift, y.whole >>= 1) {
      quotient.whole <<= 1;
      if (x.whole >= y.whole) {
        x.whole -= y.whole;
        quotient.half.low |= 1u;
      }
      if (shift == 0) {
        break;
      }
    }
  }
  *remainder = x.whole;
  return quotient.whole;
}

uint64_t RUNTIME(udivdi3)(uint64_t a, uint64_t b) {
  uint64_t remainder;
  return divide_wide(a, b, &remainder);
}

uint64_t RUNTIME(umoddi3)(uint64_t a, uint64_t b) {
  uint64_t remainder;
  (void)divide_wide(a, b, &remainder);
  return remainder;
}

int64_t RUNTIME(divdi3)(int64_t a, int64_t b) {
  uint64_t remainder;
  const uint64_t x = a < 0 ? 0u - (uint64_t)a : (uint64_t)a;
  const uint64_t y = b < 0 ? 0u - (uint64_t)b : (uint64_t)b;
  const uint64_t quotient = divide_wide(x, y, &remainder);
  return (int64_t)((a ^ b) < 0 ? 0u - quotient : quotient);
}

/* ---- Single precision, IEEE 754, round to nearest even ---- */

#define SIGN 0x80000000u
#define INFINITE 0x7F800000u
#define NOT_A_NUMBER 0x7FC00000u

typedef union {
  float value;
  uint32_t bits;
} single;

static float float_of(uint32_t bits) {
  const single result = {.bits = bits};
  return result.value;
}

static uint32_t bits_of(float value) {
  const single result = {.value = value};
  return result.bits;
}

/* Shifts right; every bit that falls out stays as a one at the bottom, so that rounding sees it. */
static uint32_t shift_sticky(uint32_t a, uint32_t count) {
  if (count == 0) {
    return a;
  }
  if (count > 31) {
    return a != 0;
  }
  return (a >> count) | ((a << (32 - count)) != 0);
}

/* Rounds fraction * 2^(exponent - 157), its leading bit anywhere in the 32; a biased exponent of 1 or less
 * gives a number below the normal ones. */
static float pack(uint32_t sign, int32_t exponent, uint32_t fraction) {
  if (fraction == 0) {
    return float_of(sign);
  }
  const uint32_t zeros = leading_zeros(fraction);
  fraction <<= zeros;
  exponent += 1 - (int32_t)zeros;
  if (exponent <= 0) {
    fraction = shift_sticky(fraction, (uint32_t)(1 - exponent));
    exponent = 0;
  }
  if (exponent >= 255) {
    return float_of(sign | INFINITE);
  }
  uint32_t bits = fraction >> 8;
  const uint32_t rest = fraction & 0xFFu;
  bits += (rest > 0x80u || (rest == 0x80u && (bits & 1u) != 0)) ? 1u : 0u;
  /* The leading one of a normal number adds 1 to the exponent, and so does a round-up into the next binade.
   */
  const uint32_t base = exponent > 0 ? (uint32_t)(exponent - 1) << 23 : 0u;
  return float_of(sign | (base + bits));
}

/* Exponent and 24-bit fraction of a finite number. */
static int32_t unpack(uint32_t bits, uint32_t *fraction) {
  const uint32_t exponent = (bits >> 23) & 0xFFu;
  *fraction = (bits & 0x7FFFFFu) | (exponent != 0 ? 0x800000u : 0u);
  return exponent != 0 ? (int32_t)exponent : 1;
}

static int is_nan(uint32_t bits) {
  return (bits & ~SIGN) > INFINITE;
}

float RUNTIME(addsf3)(float a, float b) {
  uint32_t x = bits_of(a), y = bits_of(b);
  if ((x & ~SIGN) < (y & ~SIGN)) {
    const uint32_t larger = y;
    y = x;
    x = larger;
  }
  if ((x & ~SIGN) >= INFINITE) {
    const int opposite = (x & ~SIGN) == INFINITE && y == (x ^ SIGN);
    return float_of(is_nan(x) || opposite ? NOT_A_NUMBER : x);
  }
  uint32_t left, right;
  const int32_t exponent = unpack(x, &left);
  const int32_t distance = exponent - unpack(y, &right);
  /* Six bits below the fraction, and one above it for the carry. */
  left <<= 6;
  right = shift_sticky(right << 6, (uint32_t)distance);
  if (((x ^ y) & SIGN) == 0) {
    return pack(x & SIGN, exponent + 1, left + right);
  }
  /* A difference of 0 is +0. */
  return left == right ? float_of(0) : pack(x & SIGN, exponent + 1, left - right);
}

float RUNTIME(subsf3)(float a, float b) {
  return RUNTIME(addsf3)(a, float_of(bits_of(b) ^ SIGN));
}

float RUNTIME(mulsf3)(float a, float b) {
  const uint32_t x = bits_of(a), y = bits_of(b);
  const uint32_t sign = (x ^ y) & SIGN;
  const uint32_t large = (x & ~SIGN) > (y & ~SIGN) ? x & ~SIGN : y & ~SIGN;
  const uint32_t other = (x & ~SIGN) > (y & ~SIGN) ? y & ~SIGN : x & ~SIGN;
  if (large >= INFINITE) {
    return float_of(large > INFINITE || other == 0 ? NOT_A_NUMBER : sign | INFINITE);
  }
  uint32_t left, right;
  const int32_t exponent = unpack(x, &left) + unpack(y, &right);
  if (left == 0 || right == 0) {
    return float_of(sign);
  }
  const uint32_t left_zeros = leading_zeros(left), right_zeros = leading_zeros(right);
  /* Both leading ones at bit 31: the high word of the product holds at least 31 significant bits. */
  const wide product = {RUNTIME(umulsidi3)(left << left_zeros, right << right_zeros)};
  const uint32_t high = product.half.high | (product.half.low != 0);
  return pack(sign, exponent - 111 - (int32_t)(left_zeros + right_zeros), high);
}

float RUNTIME(floatunsisf)(uint32_t a) {
  return pack(0, 157, a);
}

float RUNTIME(floatsisf)(int32_t a) {
  return pack(a < 0 ? SIGN : 0, 157, magnitude(a));
}

/* Towards zero; values outside are limited (C leaves them open). */
uint32_t RUNTIME(fixunssfsi)(float a) {
  const uint32_t bits = bits_of(a);
  if ((bits & SIGN) != 0 || bits > INFINITE) {
    return 0;
  }
  uint32_t fraction;
  const int32_t shift = unpack(bits, &fraction) - 150;
  if (shift >= 0) {
    return shift > 8 ? UINT32_MAX : fraction << shift;
  }
  return shift > -24 ? fraction >> -shift : 0;
}
