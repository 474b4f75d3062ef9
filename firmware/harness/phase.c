/* An emulated core counts instructions, its timer only every 25th to 125th of them: the same inference would
 * be one tick longer or shorter, as the host's bytes happened to arrive. A loop whose round takes one
 * instruction more than whole ticks moves by one instruction a round, so the round that sees one tick more
 * than the others ends at the same instruction of a tick, always. */
#include "phase.h"

#include "port.h"

#define VIRTUAL_HZ 1000000000u /* of QEMU with -icount shift=0: one instruction each */
#define FAR 0x40000000u        /* further than any round is long, in ticks */

static uint32_t delay;  /* turns of the inner loop that give such a round */
static uint32_t longer; /* ticks that the one round sees; 0: do not wait */

/* Walks at most `rounds` rounds, until one took `wanted` ticks; returns the ticks from the first reading of
 * the timer to the last. Every round is the same instructions: nothing is decided but whether to go on. */
__attribute__((noinline)) static uint32_t walk(uint32_t turns, uint32_t wanted, uint32_t rounds) {
  volatile uint32_t seen[2]; /* the last reading, the first */
  uint32_t before = (uint32_t)ek_port_ticks() + FAR;
  for (uint32_t i = 0; i < rounds; ++i) {
    for (uint32_t turn = turns; turn != 0;
         --turn) { /* counting down: 3 instructions on every core, no factor of 40 */
      __asm__ volatile("nop");
    }
    const uint32_t now = (uint32_t)ek_port_ticks();
    seen[(i - 1u) >> 31] = now;
    const uint32_t passed = now - before;
    before = now;
    if (passed == wanted) {
      break;
    }
  }
  return seen[0] - seen[1];
}

void ek_phase_init(void) {
  if (ek_port_emulated() == 0) {
    return;
  }
  uint32_t tick = 0; /* instructions */
  for (uint32_t hz = 0; hz + ek_port_tick_hz() <= VIRTUAL_HZ; hz += ek_port_tick_hz()) {
    ++tick;
  }
  for (uint32_t turns = 0; tick > 1u && turns < 2u * tick; ++turns) {
    /* So many rounds end where they began within a tick: their ticks are one round's instructions. */
    uint32_t instructions = walk(turns, FAR, tick + 1u);
    uint32_t ticks = 0;
    for (; instructions >= tick; instructions -= tick) {
      ++ticks;
    }
    if (instructions == 1u) {
      delay = turns;
      longer = ticks + 1u;
      return;
    }
  }
}

void ek_phase_wait(void) {
  if (longer != 0) {
    /* One round in as many as a tick has instructions fits; the bound holds where a timer stands still. */
    (void)walk(delay, longer, 1024u);
  }
}
