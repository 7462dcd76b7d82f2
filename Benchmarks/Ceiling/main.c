// The ceiling: the least that a durable server can do, to quote Muster as a share of it.
//
//   ceiling disk  --dir DIR [--seconds S]                  a pwrite and an fdatasync of 4 KiB, over and over
//   ceiling serve --dir DIR --port P                       a bare group-commit server: one thread, epoll, one write
//                                                          and one fdatasync per round
//   ceiling load  --port P [--clients N] [--seconds S]     closed-loop clients, a connection each, 256-byte records
//
// Results go to stdout as one JSON object. Everything stays on loopback and ends by itself (`serve` on SIGTERM).
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { RECORD = 256, REPLY = 8, CONNECTIONS = 4096, SEGMENT = 64 << 20, PAGE = 4096 };

static const char *directory = ".";
static int port = 7500;
static int clients = 1;
static double seconds = 5;

static void die(const char *what) {
  perror(what);
  exit(1);
}

static uint64_t nanoseconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

// Latencies in microseconds, counted up to 1 second; slower ones count as the last.
static uint32_t histogram[1000001];
static uint64_t samples;
static uint64_t slowest;

static void record(uint64_t ns) {
  uint64_t us = ns / 1000;
  if (us > slowest) slowest = us;
  histogram[us > 1000000 ? 1000000 : us]++;
  samples++;
}

static uint64_t percentile(double share) {
  uint64_t wanted = (uint64_t)((double)samples * share), seen = 0;
  for (uint64_t us = 0; us <= 1000000; us++) {
    seen += histogram[us];
    if (seen > wanted) return us;
  }
  return 1000000;
}

static void report(const char *operation, double elapsed) {
  printf(
      "{\"operation\":\"%s\",\"clients\":%d,\"seconds\":%.3f,\"operations\":%llu,\"perSecond\":%.0f,"
      "\"p50\":%llu,\"p90\":%llu,\"p99\":%llu,\"p999\":%llu,\"max\":%llu}\n",
      operation, clients, elapsed, (unsigned long long)samples, (double)samples / elapsed,
      (unsigned long long)percentile(0.5), (unsigned long long)percentile(0.9), (unsigned long long)percentile(0.99),
      (unsigned long long)percentile(0.999), (unsigned long long)slowest);
}

// A file of zeros that were written and synced, so that overwriting it changes no metadata.
static int prewritten(void) {
  char path[4096];
  snprintf(path, sizeof path, "%s/ceiling.data", directory);
  int file = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
  if (file < 0) die(path);
  static char zeros[1 << 20];
  for (int at = 0; at < SEGMENT; at += (int)sizeof zeros)
    if (pwrite(file, zeros, sizeof zeros, at) != (ssize_t)sizeof zeros) die("pwrite");
  if (fsync(file)) die("fsync");
  return file;
}

static void disk(void) {
  int file = prewritten();
  static char page[PAGE];
  uint64_t begin = nanoseconds(), end = begin + (uint64_t)(seconds * 1e9), before = begin;
  off_t at = 0;
  while (before < end) {
    memset(page, (int)samples, sizeof page);
    if (pwrite(file, page, sizeof page, at) != (ssize_t)sizeof page) die("pwrite");
    if (fdatasync(file)) die("fdatasync");
    at = (at + PAGE) % SEGMENT;
    uint64_t now = nanoseconds();
    record(now - before);
    before = now;
  }
  report("disk", (double)(before - begin) / 1e9);
}

static int listener(void) {
  int s = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), on = 1;
  if (s < 0) die("socket");
  setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (bind(s, (struct sockaddr *)&a, sizeof a) || listen(s, 1024)) die("listen");
  return s;
}

struct connection {
  int length;
  int waiting;
  char bytes[RECORD * 64];
};
static struct connection *connections[CONNECTIONS];

static volatile sig_atomic_t stopped;
static void stop(int signal) {
  (void)signal;
  stopped = 1;
}

// Moves the whole records of a connection into the batch; what is left of a record waits for the rest.
static int take(struct connection *c, char *batch, int room) {
  int whole = c->length / RECORD;
  if (whole > room / RECORD) whole = room / RECORD;
  memcpy(batch, c->bytes, (size_t)whole * RECORD);
  memmove(c->bytes, c->bytes + whole * RECORD, (size_t)(c->length - whole * RECORD));
  c->length -= whole * RECORD;
  c->waiting += whole;
  return whole * RECORD;
}

static void serve(void) {
  signal(SIGTERM, stop);
  signal(SIGPIPE, SIG_IGN);
  int file = prewritten(), accepting = listener(), poll = epoll_create1(0);
  struct epoll_event e = {.events = EPOLLIN, .data.fd = accepting}, events[1024];
  epoll_ctl(poll, EPOLL_CTL_ADD, accepting, &e);
  static char batch[1 << 20];
  off_t at = 0;
  fprintf(stderr, "ready\n");
  while (!stopped) {
    int n = epoll_wait(poll, events, 1024, -1), filled = 0;
    for (int i = 0; i < n; i++) {
      int s = events[i].data.fd;
      if (s == accepting) {
        int fresh = accept4(accepting, NULL, NULL, SOCK_NONBLOCK), on = 1;
        if (fresh < 0 || fresh >= CONNECTIONS) continue;
        setsockopt(fresh, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        connections[fresh] = calloc(1, sizeof *connections[fresh]);
        e.events = EPOLLIN;
        e.data.fd = fresh;
        epoll_ctl(poll, EPOLL_CTL_ADD, fresh, &e);
        continue;
      }
      struct connection *c = connections[s];
      ssize_t got = read(s, c->bytes + c->length, sizeof c->bytes - (size_t)c->length);
      if (got <= 0) {
        if (got < 0 && errno == EAGAIN) continue;
        close(s);
        free(c);
        connections[s] = NULL;
        continue;
      }
      c->length += (int)got;
      filled += take(c, batch + filled, (int)sizeof batch - filled);
    }
    if (!filled) continue;
    size_t padded = ((size_t)filled + PAGE - 1) / PAGE * PAGE;
    if (at + (off_t)padded > SEGMENT) at = 0;
    if (pwrite(file, batch, padded, at) != (ssize_t)padded) die("pwrite");
    if (fdatasync(file)) die("fdatasync");
    at += (off_t)padded;
    for (int i = 0; i < n; i++) {
      int s = events[i].data.fd;
      struct connection *c = s == accepting ? NULL : connections[s];
      if (!c || !c->waiting) continue;
      static char replies[REPLY * 64];
      if (write(s, replies, (size_t)c->waiting * REPLY) < 0) perror("write");
      c->waiting = 0;
    }
  }
}

static void load(void) {
  int poll = epoll_create1(0);
  uint64_t *sent = calloc(CONNECTIONS, sizeof *sent);
  int *received = calloc(CONNECTIONS, sizeof *received);
  static char request[RECORD], reply[REPLY];
  int *sockets = calloc((size_t)clients, sizeof *sockets);
  for (int i = 0; i < clients; i++) {
    int s = socket(AF_INET, SOCK_STREAM, 0), on = 1;
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (s < 0 || s >= CONNECTIONS || connect(s, (struct sockaddr *)&a, sizeof a)) die("connect");
    setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    struct epoll_event e = {.events = EPOLLIN, .data.fd = s};
    epoll_ctl(poll, EPOLL_CTL_ADD, s, &e);
    sockets[i] = s;
  }
  uint64_t begin = nanoseconds(), end = begin + (uint64_t)(seconds * 1e9);
  for (int i = 0; i < clients; i++) {
    sent[sockets[i]] = nanoseconds();
    if (write(sockets[i], request, RECORD) != RECORD) die("write");
  }
  struct epoll_event events[1024];
  uint64_t now = begin;
  while (now < end) {
    int n = epoll_wait(poll, events, 1024, 1000);
    for (int i = 0; i < n; i++) {
      int s = events[i].data.fd;
      ssize_t got = read(s, reply, (size_t)(REPLY - received[s]));
      if (got <= 0) die("read");
      received[s] += (int)got;
      if (received[s] < REPLY) continue;
      received[s] = 0;
      now = nanoseconds();
      record(now - sent[s]);
      sent[s] = now;
      if (write(s, request, RECORD) != RECORD) die("write");
    }
    now = nanoseconds();
  }
  report("append", (double)(now - begin) / 1e9);
}

int main(int count, char **words) {
  if (count < 2) {
    fprintf(stderr, "usage: ceiling disk|serve|load [--dir DIR] [--port P] [--clients N] [--seconds S]\n");
    return 2;
  }
  for (int i = 2; i + 1 < count; i += 2) {
    if (!strcmp(words[i], "--dir")) directory = words[i + 1];
    else if (!strcmp(words[i], "--port")) port = atoi(words[i + 1]);
    else if (!strcmp(words[i], "--clients")) clients = atoi(words[i + 1]);
    else if (!strcmp(words[i], "--seconds")) seconds = atof(words[i + 1]);
    else {
      fprintf(stderr, "ceiling: unknown option %s\n", words[i]);
      return 2;
    }
  }
  if (clients < 1 || clients > CONNECTIONS - 64 || seconds <= 0 || seconds > 600) {
    fprintf(stderr, "ceiling: 1 to %d clients, up to 600 seconds\n", CONNECTIONS - 64);
    return 2;
  }
  if (!strcmp(words[1], "disk")) disk();
  else if (!strcmp(words[1], "serve")) serve();
  else if (!strcmp(words[1], "load")) load();
  else {
    fprintf(stderr, "ceiling: unknown command %s\n", words[1]);
    return 2;
  }
  return 0;
}
