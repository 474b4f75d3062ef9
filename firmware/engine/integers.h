/* Elements of one, two or four bytes. */
#ifndef EK_INTEGERS_H
#define EK_INTEGERS_H

#include <stdint.h>

/* Element `index` of signed integers of so many bytes. */
static inline int32_t ek_load(const int8_t *data, int32_t index, int32_t bytes) {
  if (bytes == 1) {
    return data[index];
  }
  return bytes == 2 ? ((const int16_t *)(const void *)data)[index]
                    : ((const int32_t *)(const void *)data)[index];
}

/* Stores the low bytes of a value. */
static inline void ek_store(int8_t *data, int32_t index, int32_t bytes, int32_t value) {
  if (bytes == 1) {
    data[index] = (int8_t)value;
  } else if (bytes == 2) {
    ((int16_t *)(void *)data)[index] = (int16_t)value;
  } else {
    ((int32_t *)(void *)data)[index] = value;
  }
}

#endif
