/* The rows of one tensor in the arena.
 *
 * Every kernel computes a range of rows of its output. Row y of a tensor lies at
 * data + (y % ring_rows) * row_bytes, so a tensor may be whole (ring_rows = all of its rows)
 * or a ring that keeps only the rows a later kernel still needs. */
#ifndef EK_ROWS_H
#define EK_ROWS_H

#include <stdint.h>

typedef struct {
  int8_t *data;
  int32_t row_bytes;
  int32_t ring_rows;
} ek_rows;

/* Rows of row_bytes each at an offset in the arena. */
static inline ek_rows ek_rows_at(uint8_t *arena, int32_t offset, int32_t row_bytes, int32_t ring_rows) {
  const ek_rows rows = {(int8_t *)arena + offset, row_bytes, ring_rows};
  return rows;
}

/* A constant of the model: kernels only read their inputs, so the const that is cast away is kept. */
static inline ek_rows ek_rows_in_flash(const void *data, int32_t row_bytes, int32_t rows) {
  const ek_rows constant = {(int8_t *)(uintptr_t)data, row_bytes, rows};
  return constant;
}

/* Address of row y, y >= 0. */
static inline int8_t *ek_row(ek_rows rows, int32_t y) {
  /* Most rows lie in front of the first wrap: no division for them. */
  return rows.data + (y < rows.ring_rows ? y : y % rows.ring_rows) * rows.row_bytes;
}

/* Part y, of so many bytes, of a tensor whose rows may be other parts of it: then it is whole. */
static inline int8_t *ek_part(ek_rows rows, int32_t y, int32_t bytes) {
  return rows.row_bytes == bytes ? ek_row(rows, y) : rows.data + y * bytes;
}

#endif
