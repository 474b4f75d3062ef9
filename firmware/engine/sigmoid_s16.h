/* Sigmoid and tanh of int16, from one table with linear interpolation, with the roundings of TFLite's
 * reference kernels. Both take x = real * 3 * 2^12: the input in Q3.12 times 3, which stretches the table
 * to 10.67. */
#ifndef EK_SIGMOID_S16_H
#define EK_SIGMOID_S16_H

#include <stdint.h>

/* sigmoid(i / 24) in Q0.16, raised by half of what the straight line to the next entry lacks in its middle;
 * the last is the largest uint16. */
static const uint16_t ek_sigmoid_table[256] = {
    32768, 33451, 34133, 34813, 35493, 36169, 36843, 37513, 38180, 38841, 39498, 40149, 40794, 41432, 42064,
    42688, 43304, 43912, 44511, 45102, 45683, 46255, 46817, 47369, 47911, 48443, 48964, 49475, 49975, 50464,
    50942, 51409, 51865, 52311, 52745, 53169, 53581, 53983, 54374, 54755, 55125, 55485, 55834, 56174, 56503,
    56823, 57133, 57433, 57724, 58007, 58280, 58544, 58800, 59048, 59288, 59519, 59743, 59959, 60168, 60370,
    60565, 60753, 60935, 61110, 61279, 61441, 61599, 61750, 61896, 62036, 62172, 62302, 62428, 62549, 62666,
    62778, 62886, 62990, 63090, 63186, 63279, 63368, 63454, 63536, 63615, 63691, 63765, 63835, 63903, 63968,
    64030, 64090, 64148, 64204, 64257, 64308, 64357, 64405, 64450, 64494, 64536, 64576, 64614, 64652, 64687,
    64721, 64754, 64786, 64816, 64845, 64873, 64900, 64926, 64950, 64974, 64997, 65019, 65039, 65060, 65079,
    65097, 65115, 65132, 65149, 65164, 65179, 65194, 65208, 65221, 65234, 65246, 65258, 65269, 65280, 65291,
    65301, 65310, 65319, 65328, 65337, 65345, 65352, 65360, 65367, 65374, 65381, 65387, 65393, 65399, 65404,
    65410, 65415, 65420, 65425, 65429, 65433, 65438, 65442, 65445, 65449, 65453, 65456, 65459, 65462, 65465,
    65468, 65471, 65474, 65476, 65479, 65481, 65483, 65485, 65488, 65489, 65491, 65493, 65495, 65497, 65498,
    65500, 65501, 65503, 65504, 65505, 65507, 65508, 65509, 65510, 65511, 65512, 65513, 65514, 65515, 65516,
    65517, 65517, 65518, 65519, 65520, 65520, 65521, 65522, 65522, 65523, 65523, 65524, 65524, 65525, 65525,
    65526, 65526, 65526, 65527, 65527, 65528, 65528, 65528, 65529, 65529, 65529, 65529, 65530, 65530, 65530,
    65530, 65531, 65531, 65531, 65531, 65531, 65532, 65532, 65532, 65532, 65532, 65532, 65533, 65533, 65533,
    65533, 65533, 65533, 65533, 65533, 65534, 65534, 65534, 65534, 65534, 65534, 65534, 65534, 65534, 65534,
    65535,
};

static inline uint32_t ek_magnitude(int32_t x) {
  return x < 0 ? 0u - (uint32_t)x : (uint32_t)x;
}

/* Between two entries of the table; the fraction has `bits` bits, and so many has the result behind Q0.16. */
static inline uint32_t ek_sigmoid_between(uint32_t index, uint32_t fraction, uint32_t bits) {
  const uint32_t low = ek_sigmoid_table[index];
  return (low << bits) + fraction * (ek_sigmoid_table[index + 1] - low);
}

/* Q0.15 of a logistic function. */
static inline int16_t ek_sigmoid_s16(int32_t x) {
  const uint32_t magnitude = ek_magnitude(x);
  uint32_t value = 0x7fffu << 10; /* Q0.25 */
  if (magnitude >> 9 < 255) {
    value = ek_sigmoid_between(magnitude >> 9, magnitude & 0x1ffu, 9);
  }
  value = x < 0 ? (1u << 25) - value + (1u << 9) - 1u : value + (1u << 9);
  return (int16_t)(value >> 10);
}

/* Q0.15 of a hyperbolic tangent: 2 sigmoid(2 x) - 1. */
static inline int16_t ek_tanh_s16(int32_t x) {
  const uint32_t magnitude = ek_magnitude(x);
  int32_t value = 0xffff << 8; /* Q0.24 */
  if (magnitude >> 8 < 255) {
    value = (int32_t)ek_sigmoid_between(magnitude >> 8, magnitude & 0xffu, 8);
  }
  value = x < 0 ? (1 << 23) - value + (1 << 7) - 1 : value - (1 << 23) + (1 << 7);
  return (int16_t)(value >> 8);
}

#endif
