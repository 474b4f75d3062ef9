/* RISC-V start-up: stack and trap vector, then C. */
  .section .reset, "ax"
  .global ek_reset
ek_reset:
  csrw mie, zero
  la t0, ek_trap
  csrw mtvec, t0
  la sp, _ek_stack_high
  tail ek_start

/* A trap ends here; the host hears nothing more and says so. */
  .section .iram.text, "ax"
  .align 8
ek_trap:
  j ek_trap
