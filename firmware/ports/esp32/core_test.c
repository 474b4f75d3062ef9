/* What kernels ask of the LX6 beyond an lx106. QEMU up to 8.1 multiplies by stale halves where MAC16 loads
 * while it multiplies, unless it translates one instruction at a time. */
#include "dots.mac16.h"
#include "lanes.mac16.h"
#include "narrow.mac16.h"
#include "port.h"
#include "requantize_sums.mac16.h"

#define VALUES 24

static volatile uint32_t seed = 7;

/* The next of some numbers that no compiler knows. */
static uint32_t drawn(void) {
  seed = seed * 1664525u + 1013904223u;
  return seed;
}

/* Two overlapping dot products: 0 where they are what plain C makes of them. */
static int check_dots(void) {
  int16_t x[VALUES + 6] __attribute__((aligned(4)));
  int32_t weights[VALUES / 2 + 3];
  for (int32_t i = 0; i < VALUES + 6; ++i) {
    x[i] = (int16_t)(drawn() >> 16);
    weights[i / 2] = (int32_t)drawn();
  }
  int32_t sums[2];
  ek_dots_mac16(sums, sums + 2, 12345, x, 8, weights, VALUES / 4);
  for (int32_t sum = 0; sum < 2; ++sum) {
    uint32_t expected = 12345;
    for (int32_t i = 0; i < VALUES; ++i) {
      const int32_t weight = i % 2 == 0 ? (int16_t)weights[i / 2] : weights[i / 2] >> 16;
      expected += (uint32_t)(x[4 * sum + i] * weight);
    }
    if ((uint32_t)sums[sum] != expected) {
      return 8;
    }
  }
  return 0;
}

/* A window of 3 x 3 in the low and in the high halves of words, and the one a column behind. */
static int check_windows(void) {
  uint32_t plane[12];
  int32_t weights[5];
  for (int32_t i = 0; i < 12; ++i) {
    plane[i] = drawn() & 0x00FF00FFu;
    weights[i % 5] = (int32_t)drawn();
  }
  for (int32_t lane = 0; lane < 4; ++lane) {
    int32_t sums[2];
    ek_sums_3x3_mac16(sums, 2, -12345, plane, 12, lane & 2, weights);
    uint32_t expected = (uint32_t)-12345;
    for (int32_t tap = 0; tap < 9; ++tap) {
      const int32_t weight = tap % 2 == 0 ? (int16_t)weights[tap / 2] : weights[tap / 2] >> 16;
      const uint32_t word = plane[3 * (lane & 1) + tap];
      expected += (lane & 2 ? word >> 16 : word & 0xFFFFu) * (uint32_t)weight;
    }
    if ((uint32_t)sums[lane & 1] != expected) {
      return 9;
    }
  }
  return 0;
}

/* A dot product with int8 weights, widened before and on the way. */
static int check_narrow(void) {
  int16_t x[VALUES + 2] __attribute__((aligned(4)));
  int32_t weights[VALUES / 4], widened[VALUES / 2 + 1];
  for (int32_t i = 0; i < VALUES + 2; ++i) {
    x[i] = (int16_t)(drawn() >> 24);
    weights[i % (VALUES / 4)] = (int32_t)drawn();
  }
  int32_t expected = -12345, sum;
  for (int32_t i = 0; i < VALUES; ++i) {
    static const int32_t places[] = {0, 16, 8, 24};
    expected += x[i] * (int8_t)((uint32_t)weights[i / 4] >> places[i % 4]);
  }
  ek_widen_weights_mac16(widened, weights, VALUES / 4);
  ek_scaled_dots_mac16(&sum, &sum + 1, -12345, x, 0, widened, VALUES / 4);
  return sum == expected && ek_narrow_dot_mac16(-12345, x, weights, VALUES / 4) == expected ? 0 : 11;
}

static int check_scaling(void) {
  /* 1000 and -1000 times 0.75 / 8 are 93.75 and -93.75: one is kept, one is held at -90. */
  const int32_t rounded[EK_CHANNEL_WORDS] = {0, 0, 0x6000, 3, 4, 1, 0};
  const int32_t line[EK_CHANNEL_WORDS] = {0, 1, 0x180000, 1, 0x800000, -960, 1356};
  const ek_activations_mac16 to = {1, -90, 127, 0};
  int8_t scaled[4];
  int32_t sums[2];
  sums[0] = EK_HALF + 1000;
  sums[1] = EK_HALF - 1000;
  ek_scale_mac16(rounded, &to, sums, 2, scaled);
  sums[0] = 1000;
  sums[1] = -1000;
  ek_scale_by_line_mac16(line, 1, sums, 2, scaled + 2);
  return scaled[0] == 94 && scaled[1] == -90 && scaled[2] == 94 && scaled[3] == -90 ? 0 : 10;
}

int ek_port_core_test(void) {
  int failed = check_dots();
  if (failed == 0) {
    failed = check_windows();
  }
  if (failed == 0) {
    failed = check_narrow();
  }
  return failed != 0 ? failed : check_scaling();
}
