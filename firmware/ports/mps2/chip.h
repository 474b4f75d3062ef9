/* Where Arm's MPS2 has what the port uses, with the AN385, AN386 and AN500 images (Cortex-M3, M4, M7). */
#ifndef EK_CHIP_H
#define EK_CHIP_H

#define CLOCK_HZ 25000000u       /* of UART and timer */
#define UART_BASE 0x40004000u    /* CMSDK UART 0 */
#define TIMER_BASE 0x40000000u   /* CMSDK timer 0 */
#define TIMER_INTERRUPT_NUMBER 8 /* of the core's interrupt lines */

#endif
