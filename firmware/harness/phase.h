/* Begins every timed region at the same place within a tick of an emulated core's timer. */
#ifndef EK_PHASE_H
#define EK_PHASE_H

/* Finds how to wait. Does nothing on a chip, nor where a tick is one instruction. */
void ek_phase_init(void);

/* Waits for the place. */
void ek_phase_wait(void);

#endif
