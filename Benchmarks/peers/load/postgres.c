// PostgreSQL: the frontend/backend protocol, version 3, with one prepared statement. An append inserts a row; a watcher
// listens and is notified of every row with its value, by the transaction that inserts it.
#include <stdio.h>

#include "load.h"

enum step { STARTING, PREPARING, READY };

struct own {
  int cycles;  // of the greeting that are not over
  bool has_row;
  char problem[80];
};

static size_t begin(struct buffer *b, char type) {
  if (type) buffer_byte(b, (uint8_t)type);
  buffer_big32(b, 0);
  return buffer_count(b) - 4;
}

static void finish(struct buffer *b, size_t at) {
  uint32_t length = __builtin_bswap32((uint32_t)(buffer_count(b) - at));
  memcpy(b->bytes + b->start + at, &length, 4);
}

static void text(struct buffer *b, const char *word) { buffer_append(b, word, strlen(word) + 1); }

static void greet(struct connection *c) {
  size_t at = begin(&c->out, 0);
  buffer_big32(&c->out, 3 << 16);
  text(&c->out, "user");
  text(&c->out, "postgres");
  text(&c->out, "database");
  text(&c->out, "postgres");
  buffer_byte(&c->out, 0);
  finish(&c->out, at);
}

static void query(struct connection *c, const char *statement) {
  size_t at = begin(&c->out, 'Q');
  text(&c->out, statement);
  finish(&c->out, at);
}

static const char *statement(void) {
  switch (options.operation) {
    case OP_READ:
      return "SELECT value FROM bench WHERE id = $1";
    case OP_WATCH:
      return "WITH made AS (INSERT INTO bench (key, value) VALUES ($1, $2) RETURNING id) "
             "SELECT pg_notify('bench', id || ' ' || encode($2, 'base64')) FROM made";
    default:
      return "INSERT INTO bench (key, value) VALUES ($1, $2)";
  }
}

static void started(struct connection *c) {
  struct own *own = c->own;
  c->step = PREPARING;
  own->cycles = 1;
  if (c->is_watcher) return query(c, "LISTEN bench");
  if (c->index == 0) {
    own->cycles = 2;
    query(c, "CREATE TABLE IF NOT EXISTS bench (id bigserial PRIMARY KEY, key text NOT NULL, value bytea NOT NULL)");
  }
  size_t at = begin(&c->out, 'P');
  text(&c->out, "work");
  text(&c->out, statement());
  bool is_read = options.operation == OP_READ;
  buffer_big16(&c->out, is_read ? 1 : 2);
  buffer_big32(&c->out, is_read ? 20 : 25);  // int8, or text
  if (!is_read) buffer_big32(&c->out, 17);   // bytea
  finish(&c->out, at);
  finish(&c->out, begin(&c->out, 'S'));
}

// ReadyForQuery: what was asked before it is over.
static void cycle_over(struct connection *c) {
  struct own *own = c->own;
  if (c->step == STARTING) return started(c);
  if (c->step == PREPARING) {
    if (--own->cycles > 0) return;
    c->step = READY;
    return connection_ready(c);
  }
  const char *problem = own->problem[0] ? own->problem : NULL;
  if (!problem && options.operation == OP_READ && !own->has_row) problem = "there is no such row";
  connection_answer_next(c, problem);
  own->problem[0] = 0;
  own->has_row = false;
}

static void failed(struct connection *c, const uint8_t *content, size_t count) {
  struct own *own = c->own;
  const uint8_t *message = memmem(content, count, "\0M", 2);
  size_t length = message ? strnlen((const char *)message + 2, count - (size_t)(message + 2 - content)) : 0;
  if (!c->is_ready) return connection_fail(c, "postgres refused", message ? message + 2 : NULL, length);
  snprintf(own->problem, sizeof own->problem, "postgres answered an error");
}

static void row(struct connection *c, const uint8_t *content, size_t count) {
  struct own *own = c->own;
  own->has_row = true;
  if (options.operation != OP_READ) return;
  const char *problem = count < 6 || big32(content + 2) > count - 6 ? "the row cannot be read"
                                                                    : check_value(content + 6, big32(content + 2));
  if (problem) snprintf(own->problem, sizeof own->problem, "%s", problem);
}

// NotificationResponse: process, channel, and as its content the row's id and value. Transactions end in another order
// than they take ids: that each row comes once is known from their number.
static void notified(struct connection *c, size_t count) {
  if (count < options.value_bytes) return connection_fail(c, "a notification without the value", NULL, 0);
  connection_delivered(c, c->last_seen + 1);
}

static size_t take(struct connection *c, const uint8_t *bytes, size_t count) {
  if (count < 5 || count - 1 < big32(bytes + 1)) return 0;
  size_t length = big32(bytes + 1);
  if (length < 4) {
    connection_fail(c, "postgres sent a short message", NULL, 0);
    return count;
  }
  const uint8_t *content = bytes + 5;
  switch (bytes[0]) {
    case 'R':
      if (length < 8 || big32(content) != 0) connection_fail(c, "postgres wants a password", NULL, 0);
      break;
    case 'E':
      failed(c, content, length - 4);
      break;
    case 'D':
      row(c, content, length - 4);
      break;
    case 'A':
      notified(c, length - 4);
      break;
    case 'Z':
      cycle_over(c);
  }
  return length + 1;
}

static void bind(struct connection *c, uint64_t number) {
  struct buffer *b = &c->out;
  bool is_read = options.operation == OP_READ;
  size_t at = begin(b, 'B');
  text(b, "");
  text(b, "work");
  buffer_big16(b, 1);
  buffer_big16(b, 1);  // parameters are binary
  buffer_big16(b, is_read ? 1 : 2);
  if (is_read) {
    buffer_big32(b, 8);
    buffer_big64(b, number % (uint64_t)options.keys + 1);
  } else {
    char key[KEY_MAX];
    size_t length = key_name(key, c, number, '/');
    buffer_big32(b, (uint32_t)length);
    buffer_append(b, key, length);
    buffer_big32(b, (uint32_t)options.value_bytes);
    buffer_append(b, fresh_value(), options.value_bytes);
  }
  buffer_big16(b, 1);
  buffer_big16(b, 1);  // and so are results
  finish(b, at);
}

static void request(struct connection *c, uint64_t number) {
  bind(c, number);
  size_t at = begin(&c->out, 'E');
  text(&c->out, "");
  buffer_big32(&c->out, 0);
  finish(&c->out, at);
  finish(&c->out, begin(&c->out, 'S'));
}

const struct protocol postgres = {"postgres", sizeof(struct own), greet, take, request};
