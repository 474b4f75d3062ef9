/* AN505 differs from the other images of the MPS2 in addresses only. */
#include "chip.h"
/* Its chip.h gives way to the one above. */
#include "../mps2/port.c"
