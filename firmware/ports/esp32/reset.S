/* ESP32 start-up: from the ROM's windowed world, or from an emulator's reset, to C with the call0 ABI.
 *
 * The ROM enters with register windows on, its own stack and its own vectors. With PS.WOE = 0 the windows stand
 * still, and the sixteen registers that are visible are all that call0 code needs. */

/* Vectors: VECBASE is their base; the kernel and user exceptions and the double exception are at these offsets
 * of the LX6 (and of QEMU's de233_fpu). Level-1 interrupts come as exceptions with cause 4. */
  .section .vectors, "ax"
  .global ek_vectors
  .align 1024
ek_vectors:
  .org 0x300
  wsr a0, excsave1
  j ek_exception
  .org 0x340
  wsr a0, excsave1
  j ek_exception
  .org 0x3C0
  j ek_halt
  .org 0x400

  .section .iram.text, "ax"
  .literal_position

/* The timer interrupt: every 2^30 cycles CCOUNT is sampled, so that no wrap of its 32 bits goes unseen.
 * ek_cycles[0] is the last sample, ek_cycles[1] the number of wraps (port.c). */
  .align 4
ek_exception:
  movi a0, ek_saved
  s32i a2, a0, 0
  s32i a3, a0, 4
  s32i a4, a0, 8
  rsr a2, exccause
  bnei a2, 4, ek_halt
  movi a3, ek_cycles
  rsr a2, ccount
  l32i a4, a3, 0
  s32i a2, a3, 0
  bgeu a2, a4, 1f
  l32i a4, a3, 4
  addi a4, a4, 1
  s32i a4, a3, 4
1:
  movi a4, 0x40000000
  add a2, a2, a4
  wsr a2, ccompare0 /* this also takes the interrupt back */
  l32i a2, a0, 0
  l32i a3, a0, 4
  l32i a4, a0, 8
  rsr a0, excsave1
  rfe

/* A fault ends here; the host hears nothing more and says so. */
  .align 4
ek_halt:
  j ek_halt

  .global ek_reset
  .align 4
ek_reset:
  movi a2, 0x2F /* WOE 0, user mode, interrupt level 15 */
  wsr a2, ps
  rsync
  movi a2, 0
  wsr a2, intenable
  movi a2, ek_vectors
  wsr a2, vecbase
  rsync
  movi a1, _ek_stack_high
  call0 ek_start
  j ek_halt

  .section .bss.ek_saved, "aw", @nobits
  .align 4
ek_saved:
  .space 12
