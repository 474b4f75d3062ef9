/* It starts as the other images of the MPS2 do. */
#include "chip.h"
/* Its chip.h gives way to the one above. */
#include "../mps2/start.c"
