// Redis: RESP. Appends are SET; watchers read a stream (XADD, XREAD BLOCK), which can be resumed, as a publication can't.
#include <stdio.h>
#include <stdlib.h>

#include "load.h"

enum { STREAM_BATCH = 200 };

struct own {
  char last[48];   // the entry that a watcher saw last
};

static void bulk(struct buffer *b, const void *bytes, size_t count) {
  buffer_text(b, "$%zu\r\n", count);
  buffer_append(b, bytes, count);
  buffer_append(b, "\r\n", 2);
}

static void word(struct buffer *b, const char *text) { bulk(b, text, strlen(text)); }

static void ask_stream(struct connection *c) {
  struct own *own = c->own;
  buffer_text(&c->out, "*8\r\n");
  word(&c->out, "XREAD");
  word(&c->out, "COUNT");
  buffer_text(&c->out, "$3\r\n%d\r\n", STREAM_BATCH);
  word(&c->out, "BLOCK");
  word(&c->out, "0");
  word(&c->out, "STREAMS");
  word(&c->out, "bench");
  word(&c->out, own->last);
}

static void greet(struct connection *c) { buffer_text(&c->out, "*1\r\n$4\r\nPING\r\n"); }

// The line at `at` without its end, and where the next one begins; nil when it is not whole.
static const uint8_t *line(const uint8_t *at, const uint8_t *end, long *number) {
  const uint8_t *stop = memchr(at, '\r', (size_t)(end - at));
  if (!stop || stop + 1 >= end) return NULL;
  *number = strtol((const char *)at + 1, NULL, 10);
  return stop + 2;
}

static const uint8_t *take_bulk(const uint8_t *at, const uint8_t *end, const uint8_t **bytes, long *count) {
  if (!at || at >= end) return NULL;
  const uint8_t *next = line(at, end, count);
  if (!next || *at != '$' || *count < 0 || *count + 2 > end - next) return NULL;
  *bytes = next;
  return next + *count + 2;
}

static const uint8_t *take_array(const uint8_t *at, const uint8_t *end, long *count) {
  return at && at < end && *at == '*' ? line(at, end, count) : NULL;
}

// Entry ids are milliseconds and a number among them: made one number, they rise.
static uint64_t position(const char *id) {
  char *rest;
  uint64_t milliseconds = strtoull(id, &rest, 10);
  return milliseconds << 20 | (*rest == '-' ? strtoull(rest + 1, NULL, 10) : 0);
}

// What XREAD answers: streams of (name, entries of (id, fields)).
static size_t take_entries(struct connection *c, const uint8_t *bytes, size_t count) {
  const uint8_t *at = bytes, *end = bytes + count, *text;
  struct own *own = c->own;
  long streams, two, entries, length, fields, i;
  at = take_array(at, end, &streams);
  at = take_array(at, end, &two);
  at = take_bulk(at, end, &text, &length);
  at = take_array(at, end, &entries);
  if (!at) return 0;
  // Counted only when the answer is whole.
  for (int pass = 0; pass < 2; pass++) {
    const uint8_t *entry = at;
    for (i = 0; i < entries; i++) {
      entry = take_array(entry, end, &two);
      const uint8_t *id;
      long id_length;
      entry = take_bulk(entry, end, &id, &id_length);
      entry = take_array(entry, end, &fields);
      for (long f = 0; entry && f < fields; f++) entry = take_bulk(entry, end, &text, &length);
      if (!entry || id_length >= (long)sizeof own->last) return 0;
      if (pass == 0) continue;
      memcpy(own->last, id, (size_t)id_length);
      own->last[id_length] = 0;
      connection_delivered(c, position(own->last));
    }
    if (pass == 1) at = entry;
  }
  ask_stream(c);
  return (size_t)(at - bytes);
}

// A watcher begins behind the newest entry, before writers begin: XREAD with `$` would miss what comes between calls.
static size_t take_newest(struct connection *c, const uint8_t *bytes, size_t count) {
  const uint8_t *at = bytes, *end = bytes + count, *text;
  struct own *own = c->own;
  long entries, two, fields, length;
  at = take_array(at, end, &entries);
  if (!at) return 0;
  strcpy(own->last, "0-0");
  if (entries > 0) {
    at = take_array(at, end, &two);
    at = take_bulk(at, end, &text, &length);
    if (!at || length >= (long)sizeof own->last) return 0;
    char newest[sizeof own->last];
    memcpy(newest, text, (size_t)length);
    newest[length] = 0;
    at = take_array(at, end, &fields);
    for (long f = 0; at && f < fields; f++) at = take_bulk(at, end, &text, &length);
    if (!at) return 0;
    strcpy(own->last, newest);
  }
  c->step = 2;
  connection_ready(c);
  ask_stream(c);
  return (size_t)(at - bytes);
}

static size_t take(struct connection *c, const uint8_t *bytes, size_t count) {
  const uint8_t *end = bytes + count;
  long number;
  const uint8_t *next = line(bytes, end, &number);
  if (!next) return 0;
  if (*bytes == '-') {
    connection_fail(c, "redis answered an error", bytes + 1, (size_t)(next - bytes) - 3);
    return (size_t)(next - bytes);
  }
  if (c->step == 0) {
    c->step = 1;
    if (c->is_watcher) {
      buffer_text(&c->out, "*6\r\n");
      const char *words[] = {"XREVRANGE", "bench", "+", "-", "COUNT", "1"};
      for (int i = 0; i < 6; i++) word(&c->out, words[i]);
    } else {
      connection_ready(c);
    }
    return (size_t)(next - bytes);
  }
  if (c->is_watcher) return c->step == 1 ? take_newest(c, bytes, count) : take_entries(c, bytes, count);
  if (*bytes != '$') {
    connection_answer_next(c, *bytes == '+' && bytes[1] == 'O' ? NULL : "redis did not answer OK");
    return (size_t)(next - bytes);
  }
  if (number < 0) {
    connection_answer_next(c, "there is no such key");
    return (size_t)(next - bytes);
  }
  if (number + 2 > end - next) return 0;
  bool is_value = options.operation == OP_READ;
  connection_answer_next(c, is_value ? check_value(next, (size_t)number) : NULL);
  return (size_t)(next - bytes) + (size_t)number + 2;
}

static void request(struct connection *c, uint64_t number) {
  char key[KEY_MAX];
  size_t length = key_name(key, c, number, '/');
  struct buffer *b = &c->out;
  switch (options.operation) {
    case OP_READ:
      buffer_text(b, "*2\r\n$3\r\nGET\r\n");
      bulk(b, key, length);
      return;
    case OP_WATCH:
      buffer_text(b, "*5\r\n$4\r\nXADD\r\n$5\r\nbench\r\n$1\r\n*\r\n");
      break;
    default:
      buffer_text(b, "*3\r\n$3\r\nSET\r\n");
  }
  bulk(b, key, length);
  bulk(b, fresh_value(), options.value_bytes);
}

const struct protocol resp = {"redis", sizeof(struct own), greet, take, request};
