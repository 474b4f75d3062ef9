/* Functions whose loops keep many values in registers. */
#ifndef EK_IN_ORDER_H
#define EK_IN_ORDER_H

/* GCC's scheduler before register allocation would load far ahead, and then spill what was in registers. */
#if defined(__GNUC__) && !defined(__clang__)
#define EK_IN_ORDER __attribute__((noinline, unused, optimize("no-schedule-insns"))) static
#else
#define EK_IN_ORDER static inline
#endif

#endif
