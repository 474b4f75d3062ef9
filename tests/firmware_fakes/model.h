#include <stdint.h>
typedef struct {
  uint8_t *data;
  uint32_t bytes;
} ek_span;
