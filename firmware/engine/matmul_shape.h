/* Where the rows of batches of matrices lie. Distances count elements; 0 where one matrix serves several
 * batches. */
#ifndef EK_MATMUL_SHAPE_H
#define EK_MATMUL_SHAPE_H

#include <stdint.h>

#define EK_MATMUL_BATCHES 3

typedef struct {
  int32_t vectors; /* rows of matrices in a row of the output tensor */
  int32_t rows;    /* of a matrix of the output */
  int32_t columns;
  int32_t depth;
  int32_t left_row;
  int32_t left_depth;
  int32_t right_column;
  int32_t right_depth;
  int32_t batches[EK_MATMUL_BATCHES]; /* of the output, the outermost first */
  int32_t left_batch[EK_MATMUL_BATCHES];
  int32_t right_batch[EK_MATMUL_BATCHES];
} ek_matmul_shape;

typedef struct {
  int32_t left;  /* the row that is needed */
  int32_t right; /* the matrix that is needed */
} ek_matmul_place;

/* What vector `index` of all batches is computed from. */
static inline ek_matmul_place ek_matmul_at(const ek_matmul_shape *shape, int32_t index) {
  ek_matmul_place place = {index % shape->rows * shape->left_row, 0};
  int32_t batch = index / shape->rows;
  for (int32_t axis = EK_MATMUL_BATCHES - 1; axis >= 0; --axis) {
    const int32_t position = batch % shape->batches[axis];
    place.left += position * shape->left_batch[axis];
    place.right += position * shape->right_batch[axis];
    batch /= shape->batches[axis];
  }
  return place;
}

#endif
