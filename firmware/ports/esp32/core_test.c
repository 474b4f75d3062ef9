/* What kernels ask of the LX6 beyond an lx106. QEMU up to 8.1 multiplies by stale halves where MAC16 loads
 * while it multiplies, unless it translates one instruction at a time. */
#include "dots.mac16.h"
#include "port.h"
#include "requantize_sums.mac16.h"

#define VALUES 24

static volatile uint32_t seed = 7;

int ek_port_core_test(void) {
  int16_t x[VALUES + 4] __attribute__((aligned(4)));
  int32_t weights[VALUES / 2 + 2];
  for (int32_t i = 0; i < VALUES + 4; ++i) {
    seed = seed * 1664525u + 1013904223u;
    x[i] = (int16_t)(seed >> 16);
    weights[i / 2] = (int32_t)seed;
  }
  int32_t sums[2];
  ek_dots_mac16(sums, sums + 2, 12345, x, 8, weights, VALUES / 4 - 1);
  for (int32_t sum = 0; sum < 2; ++sum) {
    uint32_t expected = 12345;
    for (int32_t i = 0; i < VALUES - 4; ++i) {
      expected += (uint32_t)(x[4 * sum + i] * (i % 2 == 0 ? (int16_t)weights[i / 2] : weights[i / 2] >> 16));
    }
    if ((uint32_t)sums[sum] != expected) {
      return 8;
    }
  }
  /* 1000 and -1000 times 0.75 / 8 are 93.75 and -93.75: one is kept, one is held at -90. */
  const int32_t rounded[EK_CHANNEL_WORDS] = {0, 0, 0x6000, 3, 4, 1, 0};
  const int32_t line[EK_CHANNEL_WORDS] = {0, 1, 0x180000, 1, 0x800000, -960, 1356};
  const ek_activations_mac16 to = {1, -90, 127};
  int8_t scaled[4];
  sums[0] = EK_HALF + 1000;
  sums[1] = EK_HALF - 1000;
  ek_scale_mac16(rounded, &to, sums, 2, scaled);
  sums[0] = 1000;
  sums[1] = -1000;
  ek_scale_by_line_mac16(line, 1, sums, 2, scaled + 2);
  return scaled[0] == 94 && scaled[1] == -90 && scaled[2] == 94 && scaled[3] == -90 ? 0 : 9;
}
