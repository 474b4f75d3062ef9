/* ESP32-C3 start-up. The ROM has loaded RAM from flash and jumps here; QEMU starts here too. */
  .section .start, "ax"
  .globl ek_reset
ek_reset:
  la sp, _ek_stack_high
  j ek_start
