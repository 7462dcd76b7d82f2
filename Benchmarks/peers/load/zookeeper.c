// ZooKeeper: records of `jute`, big-endian, each behind its length. Appends are setData; a watcher has a persistent
// recursive watch, which tells of every change but not what the value is.
#include <stdio.h>

#include "load.h"

enum type { CREATE = 1, GET_DATA = 4, SET_DATA = 5, ADD_WATCH = 106 };
enum { OK = 0, NODE_EXISTS = -110, NOTIFICATION = -1, RECURSIVE = 1, ALL_PERMISSIONS = 31, TIMEOUT = 120000 };

struct own {
  uint64_t creations;  // of the greeting that are not answered
};

static void text(struct buffer *b, const char *bytes, size_t count) {
  buffer_big32(b, (uint32_t)count);
  buffer_append(b, bytes, count);
}

// Begins a record; `finish` writes its length once it is known.
static size_t begin(struct buffer *b, int32_t xid, enum type type) {
  buffer_big32(b, 0);
  size_t at = buffer_count(b);
  buffer_big32(b, (uint32_t)xid);
  buffer_big32(b, (uint32_t)type);
  return at;
}

static void finish(struct buffer *b, size_t at) {
  uint32_t length = __builtin_bswap32((uint32_t)(buffer_count(b) - at));
  memcpy(b->bytes + b->start + at - 4, &length, 4);
}

static void create(struct buffer *b, int32_t xid, const char *path, size_t length) {
  size_t at = begin(b, xid, CREATE);
  text(b, path, length);
  text(b, (const char *)fresh_value(), options.value_bytes);
  buffer_big32(b, 1);
  buffer_big32(b, ALL_PERMISSIONS);
  text(b, "world", 5);
  text(b, "anyone", 6);
  buffer_big32(b, 0);
  finish(b, at);
}

static void greet(struct connection *c) {
  struct buffer *b = &c->out;
  buffer_big32(b, 44);
  buffer_big32(b, 0);
  buffer_big64(b, 0);
  buffer_big32(b, TIMEOUT);
  buffer_big64(b, 0);
  buffer_big32(b, 16);
  buffer_big64(b, 0);
  buffer_big64(b, 0);
}

// Keys are paths: each begins with a slash.
static size_t path(char key[KEY_MAX], const struct connection *c, uint64_t number) {
  char name[KEY_MAX];
  size_t length = key_name(name, c, number, '/');
  return (size_t)snprintf(key, KEY_MAX, "/%.*s", (int)length, name);
}

// The parents of a writer's keys and the keys themselves; they may be there from an earlier run.
static void create_keys(struct connection *c) {
  struct own *own = c->own;
  char key[KEY_MAX];
  size_t length = path(key, c, 0);
  for (size_t i = 1; i < length; i++) {
    if (key[i] != '/') continue;
    create(&c->out, 0, key, i);
    own->creations++;
  }
  int keys = options.operation == OP_FILL ? 0 : options.keys;
  for (int i = 0; i < keys; i++) {
    create(&c->out, 0, key, path(key, c, (uint64_t)i));
    own->creations++;
  }
}

static void greeted(struct connection *c) {
  c->step = 1;
  if (!c->is_watcher) return create_keys(c);
  size_t at = begin(&c->out, 0, ADD_WATCH);
  text(&c->out, "/bench", 6);
  buffer_big32(&c->out, RECURSIVE);
  finish(&c->out, at);
}

static void greeting_answered(struct connection *c, int32_t error) {
  struct own *own = c->own;
  if (error != OK && error != NODE_EXISTS) return connection_fail(c, "zookeeper refused the greeting", NULL, 0);
  if (c->is_watcher || --own->creations == 0) connection_ready(c);
}

static const char *check(int32_t error, const uint8_t *content, size_t count) {
  if (error != OK) return "zookeeper answered an error";
  if (options.operation != OP_READ) return NULL;
  if (count < 4 || big32(content) > count - 4) return "the answer has no value";
  return check_value(content + 4, big32(content));
}

static size_t take(struct connection *c, const uint8_t *bytes, size_t count) {
  if (count < 4 || count - 4 < big32(bytes)) return 0;
  size_t length = big32(bytes);
  const uint8_t *record = bytes + 4;
  if (c->step == 0) {
    greeted(c);
    return length + 4;
  }
  if (length < 16) {
    connection_fail(c, "zookeeper sent a short record", NULL, 0);
    return length + 4;
  }
  int32_t xid = (int32_t)big32(record), error = (int32_t)big32(record + 12);
  // A notification names no transaction: that it comes once for each is known from their number.
  if (xid == NOTIFICATION) connection_delivered(c, c->last_seen + 1);
  else if (!c->is_ready) greeting_answered(c, error);
  else connection_answer_next(c, check(error, record + 16, length - 16));
  return length + 4;
}

static void request(struct connection *c, uint64_t number) {
  char key[KEY_MAX];
  size_t length = path(key, c, number);
  int32_t xid = (int32_t)(number & 0x7fffffff) + 1;
  if (options.operation == OP_FILL) return create(&c->out, xid, key, length);
  bool is_read = options.operation == OP_READ;
  size_t at = begin(&c->out, xid, is_read ? GET_DATA : SET_DATA);
  text(&c->out, key, length);
  if (is_read) {
    buffer_byte(&c->out, 0);
  } else {
    text(&c->out, (const char *)fresh_value(), options.value_bytes);
    buffer_big32(&c->out, (uint32_t)-1);
  }
  finish(&c->out, at);
}

const struct protocol zookeeper = {"zookeeper", sizeof(struct own), greet, take, request};
