/* Ends the process at its Nth call that changes a file, or lets that call fail: loaded before libc by
 * LD_PRELOAD.
 *
 * KILL_AT counts from 1, after access("/arm") was called; KILL_HOW is "before", "half" (half of a write is
 * done) or "full" (the disk has no room). The number of calls goes to file descriptor KILL_COUNT_FD at
 * access("/report"). */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int armed;
static long calls;

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static int is_how(const char *how) {
  const char *wanted = getenv("KILL_HOW");
  return wanted && strcmp(wanted, how) == 0;
}

/* 1 where this call is the one. */
static int hit(void) {
  const char *at = getenv("KILL_AT");
  return armed && ++calls == (at ? atol(at) : 0);
}

/* 1 where the call shall fail; does not return where the process shall end. */
static int fails(void) {
  if (!hit())
    return 0;
  if (!is_how("full"))
    raise(SIGKILL);
  errno = ENOSPC;
  return 1;
}

static void report(void) {
  const char *fd = getenv("KILL_COUNT_FD");
  armed = 0;
  if (fd)
    dprintf(atoi(fd), "%ld", calls);
}

int access(const char *path, int mode) {
  if (strcmp(path, "/arm") == 0)
    armed = 1;
  if (strcmp(path, "/report") == 0)
    report();
  return NEXT(access)(path, mode);
}

ssize_t write(int fd, const void *data, size_t size) {
  if (armed && fd > 2 && hit()) {
    if (is_how("full")) {
      errno = ENOSPC;
      return -1;
    }
    if (is_how("half"))
      NEXT(write)(fd, data, size / 2);
    raise(SIGKILL);
  }
  return NEXT(write)(fd, data, size);
}

int fsync(int fd) {
  return fails() ? -1 : NEXT(fsync)(fd);
}
int rename(const char *from, const char *to) {
  return fails() ? -1 : NEXT(rename)(from, to);
}
int mkdir(const char *path, mode_t mode) {
  return fails() ? -1 : NEXT(mkdir)(path, mode);
}
int chmod(const char *path, mode_t mode) {
  return fails() ? -1 : NEXT(chmod)(path, mode);
}

static int is_writing(int flags) {
  return (flags & O_ACCMODE) != O_RDONLY;
}

int open64(const char *path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  mode_t mode = (flags & O_CREAT) ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  if (is_writing(flags) && fails())
    return -1;
  return NEXT(open64)(path, flags, mode);
}
