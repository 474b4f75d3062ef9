/* It starts as the MPS2 does. */
#include "../mps2/start.c"
