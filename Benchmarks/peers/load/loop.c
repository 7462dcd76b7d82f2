#include "loop.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
  READ_CHUNK = 256 << 10,
  // Connections that are made at the same time, once the first has prepared what all need.
  CONNECTING_MAX = 16,
  // Changes that writers may be ahead of the watchers' mean.
  LEAD_MAX = 512,
  CONNECT_SECONDS = 60,
  // A server that is only starting may take a connection and never speak: whoever waits for it tries again.
  FIRST_CONNECT_SECONDS = 5,
  DRAIN_SECONDS = 20,
};

struct result result;
static struct connection *connections;
static int poll_file, connected, ready_count, total;
static uint64_t asked, begun, deadline;
static bool is_running;

uint64_t nanoseconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void give_up(const char *what) {
  fprintf(stderr, "load: %s: %s\n", what, result.first_error[0] ? result.first_error : strerror(errno));
  exit(1);
}

static void count_error(const char *problem, const void *detail, size_t count) {
  if (result.errors++ > 0) return;
  int used = snprintf(result.first_error, sizeof result.first_error, "%s", problem);
  if (!detail || used < 0 || (size_t)used + 3 > sizeof result.first_error) return;
  size_t room = sizeof result.first_error - (size_t)used - 3;
  char *at = result.first_error + used;
  *at++ = ':';
  *at++ = ' ';
  // What a server says is shown as plain text: it goes into a JSON string.
  for (size_t i = 0; i < count && i < room; i++) {
    unsigned char byte = ((const unsigned char *)detail)[i];
    *at++ = byte < 32 || byte > 126 || byte == '"' || byte == '\\' ? ' ' : (char)byte;
  }
  *at = 0;
}

void connection_fail(struct connection *c, const char *problem, const void *detail, size_t count) {
  count_error(problem, detail, count);
  c->has_failed = true;
}

void connection_ready(struct connection *c) {
  if (c->is_ready) return;
  c->is_ready = true;
  ready_count++;
}

void connection_answer(struct connection *c, uint64_t number, const char *problem) {
  uint64_t *began = &c->began[number % RING];
  if (number >= c->asked || !*began) return connection_fail(c, "an answer to what was not asked", NULL, 0);
  if (problem) count_error(problem, NULL, 0);
  else histogram_record(&result.latencies, nanoseconds() - *began);
  *began = 0;
  c->answered++;
}

void connection_answer_next(struct connection *c, const char *problem) { connection_answer(c, c->answered, problem); }

void connection_delivered(struct connection *c, uint64_t position) {
  if (position <= c->last_seen) result.out_of_order++;
  c->last_seen = position;
  c->deliveries++;
  result.deliveries++;
}

static void connect_next(void) {
  struct connection *c = &connections[connected++];
  int on = 1;
  c->is_watcher = connected > options.clients;
  c->index = (uint32_t)(c->is_watcher ? connected - 1 - options.clients : connected - 1);
  c->own = calloc(1, protocol->own_bytes + 1);
  if (!c->is_watcher) c->began = calloc(RING, sizeof *c->began);
  c->socket = socket(AF_INET, SOCK_STREAM, 0);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)options.port)};
  if (inet_pton(AF_INET, options.host, &address.sin_addr) != 1) give_up("host");
  if (c->socket < 0 || connect(c->socket, (struct sockaddr *)&address, sizeof address)) give_up("connect");
  setsockopt(c->socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
  if (epoll_ctl(poll_file, EPOLL_CTL_ADD, c->socket, &event)) give_up("epoll");
  if (protocol->greet) protocol->greet(c);
}

// Writes what waits. What the socket doesn't take is written when it can be.
static void flush(struct connection *c) {
  while (buffer_count(&c->out) > 0) {
    ssize_t written = send(c->socket, c->out.bytes + c->out.start, buffer_count(&c->out), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (written < 0 && errno == EAGAIN) break;
    if (written < 0) return connection_fail(c, "send", strerror(errno), strlen(strerror(errno)));
    c->out.start += (size_t)written;
  }
  bool waits = buffer_count(&c->out) > 0;
  static bool *polled;
  if (!polled) polled = calloc((size_t)total, sizeof *polled);
  bool *is_polled = &polled[c - connections];
  if (waits == *is_polled) return;
  *is_polled = waits;
  struct epoll_event event = {.events = waits ? EPOLLIN | EPOLLOUT : EPOLLIN, .data.ptr = c};
  epoll_ctl(poll_file, EPOLL_CTL_MOD, c->socket, &event);
}

static bool may_ask(void) { return is_running && (!options.count || asked < options.count); }

static bool is_ahead(void) {
  return options.watchers > 0 && asked > result.deliveries / (uint64_t)options.watchers + LEAD_MAX;
}

static void ask(struct connection *c) {
  while (!c->has_failed && may_ask() && c->asked - c->answered < (uint64_t)options.pipeline) {
    c->is_parked = is_ahead();
    if (c->is_parked) return;
    uint64_t *began = &c->began[c->asked % RING];
    if (*began) return connection_fail(c, "an answer did not come", NULL, 0);
    *began = nanoseconds();
    asked++;
    c->asked++;
    protocol->request(c, c->asked - 1);
  }
}

static void receive(struct connection *c) {
  for (;;) {
    buffer_reserve(&c->in, READ_CHUNK);
    size_t room = c->in.capacity - c->in.end;
    ssize_t got = recv(c->socket, c->in.bytes + c->in.end, room, MSG_DONTWAIT);
    if (got < 0 && errno == EAGAIN) break;
    if (got <= 0) {
      connection_fail(c, "the server closed the connection", NULL, 0);
      break;
    }
    c->in.end += (size_t)got;
    while (!c->has_failed && buffer_count(&c->in) > 0) {
      size_t used = protocol->take(c, c->in.bytes + c->in.start, buffer_count(&c->in));
      if (!used) break;
      c->in.start += used;
    }
    if ((size_t)got < room) break;
  }
  // Idle connections must not hold a chunk each.
  if (buffer_count(&c->in) == 0) {
    free(c->in.bytes);
    c->in = (struct buffer){0};
  }
}

static void round_of_events(int milliseconds) {
  struct epoll_event events[512];
  int count = epoll_wait(poll_file, events, 512, milliseconds);
  for (int i = 0; i < count; i++) {
    struct connection *c = events[i].data.ptr;
    if (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) receive(c);
    if (!c->is_watcher && is_running) ask(c);
    flush(c);
    if (c->has_failed) epoll_ctl(poll_file, EPOLL_CTL_DEL, c->socket, NULL);
  }
}

void loop_connect(void) {
  total = options.clients + options.watchers;
  connections = calloc((size_t)total, sizeof *connections);
  poll_file = epoll_create1(0);
  uint64_t begin = nanoseconds();
  while (ready_count < total) {
    while (connected < total && connected - ready_count < (ready_count ? CONNECTING_MAX : 1)) {
      connect_next();
      flush(&connections[connected - 1]);
    }
    round_of_events(100);
    if (result.errors) give_up("greeting");
    uint64_t patience = ready_count ? CONNECT_SECONDS : FIRST_CONNECT_SECONDS;
    if (nanoseconds() - begin > patience * 1000000000) give_up("connections were not ready in time");
  }
}

static void resume_parked(void) {
  for (int i = 0; i < options.clients && !is_ahead(); i++) {
    struct connection *c = &connections[i];
    if (!c->is_parked) continue;
    ask(c);
    flush(c);
  }
}

static uint64_t answered(void) {
  uint64_t sum = 0;
  for (int i = 0; i < options.clients; i++) sum += connections[i].answered;
  return sum;
}

static uint64_t missing_deliveries(void) {
  uint64_t changes = result.latencies.samples, missing = 0;
  for (int i = options.clients; i < total; i++)
    if (connections[i].deliveries < changes) missing += changes - connections[i].deliveries;
  return missing;
}

void loop_run(void) {
  is_running = true;
  begun = nanoseconds();
  deadline = begun + (uint64_t)(options.seconds * 1e9);
  for (int i = 0; i < options.clients; i++) {
    ask(&connections[i]);
    flush(&connections[i]);
  }
  while (is_running && result.errors < 1000) {
    round_of_events(10);
    if (options.watchers) resume_parked();
    if (nanoseconds() >= deadline || (options.count && answered() >= options.count)) is_running = false;
  }
  result.seconds = (double)(nanoseconds() - begun) / 1e9;
  uint64_t end = nanoseconds() + DRAIN_SECONDS * 1000000000ull;
  while (answered() < asked && nanoseconds() < end && result.errors < 1000) round_of_events(10);
  while ((result.missing = missing_deliveries()) > 0 && nanoseconds() < end) round_of_events(10);
  result.delivery_seconds = (double)(nanoseconds() - begun) / 1e9;
  if (answered() < asked) count_error("requests were not answered in time", NULL, 0);
}
