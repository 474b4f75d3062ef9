/* The stack is painted before the first inference; what lost its paint was used. */
#ifndef EK_STACK_H
#define EK_STACK_H

#include <stdint.h>

#define EK_STACK_UNKNOWN 0xffffffffu

/* Paints the stack from its low end up to the caller's frame. */
void ek_stack_paint(void);

/* Most bytes ever used, or EK_STACK_UNKNOWN where the port has no stack to paint. */
uint32_t ek_stack_peak_bytes(void);

/* 1 while the lowest words of the stack still carry their paint. */
int ek_stack_intact(void);

#endif
