// One load for every server: the same loop, the same clock, the same values; only the protocol differs.
//
// A protocol writes requests into a connection's buffer and takes whole messages out of it. It tells the loop what came of
// them with the functions at the end; it never touches a socket or a clock.
#ifndef LOAD_H
#define LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buffer.h"

// Requests of one connection that may be on their way at the same time.
enum { PIPELINE_MAX = 256, RING = 4096, VALUE_MAX = 16384, KEY_MAX = 64 };

enum operation {
  OP_APPEND,  // overwrite one of a client's keys, durably
  OP_FILL,    // write a key that was not there before, durably
  OP_READ,    // read one of the keys of client 0
  OP_WATCH,   // append while watchers see every change
};

struct options {
  enum operation operation;
  const char *host;
  int port, clients, pipeline, watchers, keys;
  size_t value_bytes;
  double seconds;
  uint64_t count;     // of operations, when it is not 0
  uint64_t run;       // makes request ids and values of this run unlike those of others
};
extern struct options options;

struct protocol;

struct connection {
  int socket;
  uint32_t index;      // among writers, or among watchers
  bool is_watcher;
  bool is_ready;
  bool is_parked;      // a writer that waits until watchers have caught up
  bool has_failed;
  int step;            // of the protocol's greeting
  struct buffer in, out;
  uint64_t asked, answered, deliveries, last_seen;
  uint64_t *began;     // when each request on its way was written, by its number
  void *own;           // what else the protocol keeps
};

struct protocol {
  const char *name;
  size_t own_bytes;
  // The first bytes of a connection; nil when the server speaks first.
  void (*greet)(struct connection *);
  // Takes one whole message and says how many bytes it had; 0 when it is not whole yet.
  size_t (*take)(struct connection *, const uint8_t *bytes, size_t count);
  // Writes the request with this number.
  void (*request)(struct connection *, uint64_t number);
};
extern const struct protocol ceiling, etcd, muster, nats, postgres, resp, zookeeper;
extern const struct protocol *protocol;

// ---- What a protocol tells the loop

// The greeting is over: a writer may ask, a watcher watches.
void connection_ready(struct connection *c);
// Request `number` was answered; `problem` says what is wrong with the answer, or is nil.
void connection_answer(struct connection *c, uint64_t number, const char *problem);
// The same for protocols that answer in order.
void connection_answer_next(struct connection *c, const char *problem);
// A watcher saw a change; positions must rise.
void connection_delivered(struct connection *c, uint64_t position);
// The connection cannot go on; `detail` may hold what the server said.
void connection_fail(struct connection *c, const char *problem, const void *detail, size_t count);

// ---- What all protocols write

// The value of a request: a mark, and bytes that do not compress.
const uint8_t *fresh_value(void);
// Nil when the bytes are such a value.
const char *check_value(const uint8_t *bytes, size_t count);
// Names the key of a request, its parts joined by `separator`.
size_t key_name(char key[KEY_MAX], const struct connection *c, uint64_t number, char separator);

#endif
