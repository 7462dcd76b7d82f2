// What this machine's parts do at most, to read the servers' figures against.
//
//   limits pingpong [--seconds S]   64 bytes there and back over loopback between two processes, one at a time
//   limits crc32c|lz4 [--seconds S] checksums and compression of 64 KiB, one core
//
// The result goes to stdout as one JSON object. The disk's limit is `ceiling disk`.
#include <arpa/inet.h>
#include <lz4.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "CMusterBytes.h"
#include "histogram.h"

enum { MESSAGE = 64, BLOCK = 64 << 10 };

static double seconds = 2;

static void die(const char *what) {
  perror(what);
  exit(1);
}

static uint64_t nanoseconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void exchange(int s, char *bytes, ssize_t (*move)(int, char *, size_t)) {
  for (size_t done = 0; done < MESSAGE;) {
    ssize_t moved = move(s, bytes + done, MESSAGE - done);
    if (moved <= 0) _exit(0);
    done += (size_t)moved;
  }
}

static ssize_t put(int s, char *bytes, size_t count) { return send(s, bytes, count, MSG_NOSIGNAL); }
static ssize_t get(int s, char *bytes, size_t count) { return recv(s, bytes, count, 0); }

static void answer(int listening) {
  char bytes[MESSAGE];
  int on = 1, s = accept(listening, NULL, NULL);
  if (s < 0) _exit(1);
  setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  for (;;) {
    exchange(s, bytes, get);
    exchange(s, bytes, put);
  }
}

static void pingpong(void) {
  struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof a;
  int on = 1, listening = socket(AF_INET, SOCK_STREAM, 0);
  if (bind(listening, (struct sockaddr *)&a, length) || listen(listening, 1)) die("listen");
  if (getsockname(listening, (struct sockaddr *)&a, &length)) die("getsockname");
  pid_t child = fork();
  if (child < 0) die("fork");
  if (child == 0) answer(listening);
  int s = socket(AF_INET, SOCK_STREAM, 0);
  if (connect(s, (struct sockaddr *)&a, length)) die("connect");
  setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  static struct histogram latencies;
  char bytes[MESSAGE] = {0};
  uint64_t begin = nanoseconds(), before = begin;
  while (before - begin < (uint64_t)(seconds * 1e9)) {
    exchange(s, bytes, put);
    exchange(s, bytes, get);
    uint64_t now = nanoseconds();
    histogram_record(&latencies, now - before);
    before = now;
  }
  close(s);
  kill(child, SIGKILL);
  waitpid(child, NULL, 0);
  printf(
      "{\"operation\":\"pingpong\",\"perSecond\":%.0f,\"p50\":%.1f,\"p99\":%.1f}\n",
      (double)latencies.samples / ((double)(before - begin) / 1e9), histogram_percentile(&latencies, 0.5),
      histogram_percentile(&latencies, 0.99));
}

// Bytes that compress about as changes of a cluster do: words with counters between random bytes.
static void fill(char *block) {
  uint64_t state = 88172645463325252;
  for (int at = 0; at + 32 <= BLOCK; at += 32) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    snprintf(block + at, 32, "replica/%05d/moved %08x", at / 32, (unsigned)state);
  }
}

static void bytes_per_second(const char *operation) {
  static char block[BLOCK], packed[LZ4_COMPRESSBOUND(BLOCK)];
  fill(block);
  uint64_t rounds = 0, begin = nanoseconds(), now = begin;
  int is_checksum = !strcmp(operation, "crc32c"), stored = BLOCK;
  uint32_t crc = 0;
  while ((now = nanoseconds()) - begin < (uint64_t)(seconds * 1e9)) {
    for (int i = 0; i < 16; i++, rounds++) {
      if (is_checksum) crc = muster_crc32c(crc, block, BLOCK);
      else stored = LZ4_compress_default(block, packed, BLOCK, (int)sizeof packed);
    }
  }
  printf(
      "{\"operation\":\"%s\",\"bytesPerSecond\":%.0f,\"ratio\":%.2f,\"last\":%u}\n", operation,
      (double)rounds * BLOCK / ((double)(now - begin) / 1e9), (double)BLOCK / stored, crc);
}

int main(int count, char **words) {
  if (count == 4 && !strcmp(words[2], "--seconds")) seconds = atof(words[3]);
  if (count >= 2 && !strcmp(words[1], "pingpong")) pingpong();
  else if (count >= 2 && (!strcmp(words[1], "crc32c") || !strcmp(words[1], "lz4"))) bytes_per_second(words[1]);
  else {
    fprintf(stderr, "usage: limits pingpong|crc32c|lz4 [--seconds S]\n");
    return 2;
  }
  return 0;
}
