/* Where Arm's MPS2 with the AN505 image (Cortex-M33) has what the port uses: the core starts in the secure
 * state, so all addresses are the secure ones. */
#ifndef EK_CHIP_H
#define EK_CHIP_H

#define CLOCK_HZ 20000000u       /* of UART and timer */
#define UART_BASE 0x50200000u    /* CMSDK UART 0 */
#define TIMER_BASE 0x50000000u   /* CMSDK timer 0 */
#define TIMER_INTERRUPT_NUMBER 3 /* of the core's interrupt lines */

#endif
