/* It starts as every Cortex-M does. */
#include "chip.h"
/* Its chip.h gives way to the one above. */
#include "../mps2/start.c"
