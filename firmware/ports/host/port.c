/* The host port: the application as a process whose serial line is stdin and stdout. */
#define _GNU_SOURCE
#include "port.h"

#include <poll.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

/* The application runs on this stack, so that it can be painted and measured as on a board. */
#define STACK_BYTES (1024u * 1024u)
/* How long getc waits for input: short for the caller, long enough that an idle process costs nothing. */
#define WAIT_MS 20

static uint32_t *stack;
static ucontext_t application;
static ucontext_t system_context;

static uint8_t received[4096];
static size_t received_count;
static size_t received_next;
static uint8_t pending[4096];
static size_t pending_count;

/* Sends what putc gathered: whole frames instead of a system call for each byte. */
static void flush(void) {
  size_t sent = 0;
  while (sent < pending_count) {
    const ssize_t count = write(STDOUT_FILENO, pending + sent, pending_count - sent);
    if (count <= 0) {
      exit(0); /* the reader is gone */
    }
    sent += (size_t)count;
  }
  pending_count = 0;
}

void ek_port_init(void) {
}

void ek_port_putc(uint8_t byte) {
  if (pending_count == sizeof pending) {
    flush();
  }
  pending[pending_count++] = byte;
}

int ek_port_getc(void) {
  if (received_next < received_count) {
    return received[received_next++];
  }
  flush();
  struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN, .revents = 0};
  if (poll(&input, 1, WAIT_MS) <= 0) {
    return -1;
  }
  const ssize_t count = read(STDIN_FILENO, received, sizeof received);
  if (count <= 0) {
    exit(0); /* the line was closed */
  }
  received_count = (size_t)count;
  received_next = 1;
  return received[0];
}

uint64_t ek_port_ticks(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint32_t ek_port_tick_hz(void) {
  return 1000000000u;
}

int ek_port_emulated(void) {
  return 0;
}

uint32_t *ek_port_stack_low(void) {
  return stack;
}

uint32_t *ek_port_stack_high(void) {
  return stack + STACK_BYTES / sizeof(uint32_t);
}

static void run_application(void) {
  exit(ek_main());
}

int main(void) {
  void *pages = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (pages == MAP_FAILED || getcontext(&application) != 0) {
    return 1;
  }
  stack = pages;
  application.uc_stack.ss_sp = stack;
  application.uc_stack.ss_size = STACK_BYTES;
  application.uc_link = &system_context;
  makecontext(&application, run_application, 0);
  swapcontext(&system_context, &application);
  return 0;
}
