/* Opcodes of the Xtensa LX6 that the lx106 assembler does not know, as bytes for inline assembly. Each stands
 * in one piece of assembly inside of a C function, so that both ABIs of the LX6 work, call0 and register
 * windows. */
#ifndef EK_OPCODES_MAC16_H
#define EK_OPCODES_MAC16_H

#ifdef __XTENSA__
/* An operand %0 of inline assembly is printed as the name of a register, a2; ek_a2 is its number. */
__asm__(".set ek_a0, 0\n.set ek_a1, 1\n.set ek_a2, 2\n.set ek_a3, 3\n"
        ".set ek_a4, 4\n.set ek_a5, 5\n.set ek_a6, 6\n.set ek_a7, 7\n"
        ".set ek_a8, 8\n.set ek_a9, 9\n.set ek_a10, 10\n.set ek_a11, 11\n"
        ".set ek_a12, 12\n.set ek_a13, 13\n.set ek_a14, 14\n.set ek_a15, 15\n");

#define EK_NUMBER(OPERAND) "ek_" OPERAND

/* The low word of the accumulator, and a load of two int16 into m0..m3 that first adds 4 to its address. */
#define EK_WSR_ACCLO(FROM) ".byte " EK_NUMBER(FROM) " << 4, 0x10, 0x13\n"
#define EK_RSR_ACCLO(TO) ".byte " EK_NUMBER(TO) " << 4, 0x10, 0x03\n"
#define EK_LDINC(M, AT) ".byte 0x04, " #M " << 4 | " EK_NUMBER(AT) ", 0x80\n"

/* Accumulator += the low or high halves of mX (m0 or m1) and mY (m2 or m3), and a load into mM. */
#define EK_MULA_DD_LL_LDINC(M, AT, X, Y)                                                                     \
  ".byte 0x04 | (" #Y " & 1) << 6, " #X " << 6 | " #M " << 4 | " EK_NUMBER(AT) ", 0x08\n"
#define EK_MULA_DD_HH_LDINC(M, AT, X, Y)                                                                     \
  ".byte 0x04 | (" #Y " & 1) << 6, " #X " << 6 | " #M " << 4 | " EK_NUMBER(AT) ", 0x0B\n"

/* Accumulator += one half of mX (m0 or m1) times one of a register, low half or high; and a load into mM. */
#define EK_MULA_DA_LL_LDINC(M, AT, X, A)                                                                     \
  ".byte 0x04 | " EK_NUMBER(A) " << 4, " #X " << 6 | " #M " << 4 | " EK_NUMBER(AT) ", 0x48\n"
#define EK_MULA_DA_HL_LDINC(M, AT, X, A)                                                                     \
  ".byte 0x04 | " EK_NUMBER(A) " << 4, " #X " << 6 | " #M " << 4 | " EK_NUMBER(AT) ", 0x49\n"
#define EK_MULA_DA_LH_LDINC(M, AT, X, A)                                                                     \
  ".byte 0x04 | " EK_NUMBER(A) " << 4, " #X " << 6 | " #M " << 4 | " EK_NUMBER(AT) ", 0x4A\n"
#define EK_MULA_DA_HH_LDINC(M, AT, X, A)                                                                     \
  ".byte 0x04 | " EK_NUMBER(A) " << 4, " #X " << 6 | " #M " << 4 | " EK_NUMBER(AT) ", 0x4B\n"

/* The same without a load. */
#define EK_MULA_DA_LL(X, A) ".byte 0x04 | " EK_NUMBER(A) " << 4, " #X " << 6, 0x68\n"
#define EK_MULA_DA_HL(X, A) ".byte 0x04 | " EK_NUMBER(A) " << 4, " #X " << 6, 0x69\n"
#define EK_MULA_DA_HH(X, A) ".byte 0x04 | " EK_NUMBER(A) " << 4, " #X " << 6, 0x6B\n"

/* Accumulator += the low halves of two registers. */
#define EK_MULA_AA_LL(A, B) ".byte 0x04 | " EK_NUMBER(B) " << 4, " EK_NUMBER(A) ", 0x78\n"

/* The low byte with its sign. */
#define EK_SEXT_BYTE(TO, FROM) ".byte 0x00, " EK_NUMBER(TO) " << 4 | " EK_NUMBER(FROM) ", 0x23\n"

#define EK_MIN(TO, A, B) ".byte " EK_NUMBER(B) " << 4, " EK_NUMBER(TO) " << 4 | " EK_NUMBER(A) ", 0x43\n"
#define EK_MAX(TO, A, B) ".byte " EK_NUMBER(B) " << 4, " EK_NUMBER(TO) " << 4 | " EK_NUMBER(A) ", 0x53\n"

/* The code up to EK_LOOP_END is run COUNT times, without a branch; COUNT >= 1, at most 255 bytes. */
#define EK_LOOP(COUNT) "8: .byte 0x76, 0x80 | " EK_NUMBER(COUNT) ", 9f - 8b - 4\n"
#define EK_LOOP_END "9:\n"

/* The same where COUNT may be 0. */
#define EK_LOOP_IF_ANY(COUNT) "8: .byte 0x76, 0x90 | " EK_NUMBER(COUNT) ", 9f - 8b - 4\n"

/* What follows lies SKIP bytes behind a multiple of 4, and stays as long as it is written: the core wants the
 * first instruction of a loop within one word. The assembler fills with what cannot run, so it is jumped
 * over. */
#define EK_PLACE(SKIP) ".begin no-transform\nj 1f\n.p2align 2\n.space " #SKIP "\n1:\n"
#define EK_PLACE_END ".end no-transform\n"
#endif

#endif
