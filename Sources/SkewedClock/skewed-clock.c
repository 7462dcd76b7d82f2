// Clocks that go wrong, for a process that is started with this library in LD_PRELOAD.
//
// What a clock shows is a function of the seed and of the true time alone: all threads of a process, and all processes of
// a seed, see the same clocks, and nothing has to be shared.
//
// The wall clock jumps many times a second: by milliseconds, seconds, hours or months, forward and back. The monotonic
// clocks never jump and never go back, but run at half and at one and a half of their rate by turns.

#define _GNU_SOURCE
#include "skewed-clock.h"

#include <dlfcn.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>

typedef int (*clock_function)(clockid_t, struct timespec *);

enum { SECOND = 1000000000, STAY = 120000000, SWING = 2 * SECOND / 8 };

static int true_time(clockid_t clock, struct timespec *time) {
  static _Atomic(clock_function) next;
  clock_function function = atomic_load_explicit(&next, memory_order_relaxed);
  if (!function) {
    function = (clock_function)dlsym(RTLD_NEXT, "clock_gettime");
    atomic_store_explicit(&next, function, memory_order_relaxed);
  }
  return function(clock, time);
}

// 0 for clocks that are right.
static uint64_t seed(void) {
  static _Atomic int64_t known = -1;
  int64_t value = atomic_load_explicit(&known, memory_order_relaxed);
  if (value < 0) {
    const char *text = getenv(MUSTER_SKEW_SEED);
    value = text ? (int64_t)(strtoull(text, NULL, 10) & INT64_MAX) : 0;
    atomic_store_explicit(&known, value, memory_order_relaxed);
  }
  return (uint64_t)value;
}

// SplitMix64.
static uint64_t mix(uint64_t value) {
  value += 0x9e3779b97f4a7c15u;
  value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9u;
  value = (value ^ value >> 27) * 0x94d049bb133111ebu;
  return value ^ value >> 31;
}

// Between 0 and SWING and back, at half the rate of the clock.
static int64_t drift(int64_t now) {
  int64_t phase = (now + (int64_t)(mix(seed()) % SECOND)) % (4 * (int64_t)SWING);
  return phase < 2 * (int64_t)SWING ? phase / 2 : (4 * (int64_t)SWING - phase) / 2;
}

// How far the wall clock is off for a while.
static int64_t jump(int64_t now) {
  uint64_t drawn = mix(seed() ^ (uint64_t)(now / STAY));
  int64_t widest;
  switch (drawn % 64) {
    case 0: widest = 400 * (int64_t)86400 * SECOND; break;
    case 1 ... 4: widest = (int64_t)86400 * SECOND; break;
    case 5 ... 15: widest = 20 * (int64_t)SECOND; break;
    case 16 ... 40: widest = SECOND / 10; break;
    default: return 0;
  }
  return (int64_t)(mix(drawn) % (uint64_t)(2 * widest)) - widest;
}

int clock_gettime(clockid_t clock, struct timespec *time) {
  int status = true_time(clock, time);
  if (status != 0 || seed() == 0) return status;
  int64_t now = (int64_t)time->tv_sec * SECOND + time->tv_nsec;
  switch (clock) {
    case CLOCK_REALTIME:
    case CLOCK_REALTIME_COARSE: now += jump(now) + drift(now); break;
    case CLOCK_MONOTONIC:
    case CLOCK_MONOTONIC_COARSE:
    case CLOCK_MONOTONIC_RAW:
    case CLOCK_BOOTTIME: now += drift(now); break;
    default: return status;
  }
  time->tv_sec = now / SECOND;
  time->tv_nsec = now % SECOND;
  return 0;
}

int gettimeofday(struct timeval *restrict time, void *restrict zone) {
  (void)zone;
  struct timespec now;
  int status = clock_gettime(CLOCK_REALTIME, &now);
  time->tv_sec = now.tv_sec;
  time->tv_usec = now.tv_nsec / 1000;
  return status;
}

time_t time(time_t *result) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (result) *result = now.tv_sec;
  return now.tv_sec;
}
