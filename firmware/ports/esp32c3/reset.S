/* It starts as every RISC-V core does; from ek_start on it is the chip's own. */
#include "../riscv32/reset.S"
