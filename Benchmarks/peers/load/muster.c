// Muster: Sources/Protocol/WireProtocol.md. A change is a SetConfig, as `muster bench append` sends it.
#include <stdio.h>

#include "load.h"

enum kind { HELLO = 1, HELLO_REPLY = 2, REQUEST = 3, REPLY = 4, ERROR = 5, ITEM = 6, CREDIT = 8, PING = 10, PONG = 11 };
enum method { EXECUTE = 1, READ = 2, WATCH = 6, SERVER_INFO = 8 };
enum { HEAD = 16, TOPIC_CONFIG = 3, CREDIT_STEP = 1 << 16 };

struct own {
  uint32_t uncredited;
};

static void head(struct buffer *b, size_t length, enum kind kind, enum method method, uint32_t call, uint32_t argument) {
  buffer_little32(b, (uint32_t)length);
  buffer_byte(b, (uint8_t)kind);
  buffer_byte(b, 0);
  buffer_byte(b, (uint8_t)method);
  buffer_byte(b, 0);
  buffer_little32(b, call);
  buffer_little32(b, argument);
}

static void frame(
    struct connection *c, enum kind kind, enum method method, uint32_t call, uint32_t argument, struct buffer *payload) {
  head(&c->out, buffer_count(payload), kind, method, call, argument);
  buffer_append(&c->out, payload->bytes + payload->start, buffer_count(payload));
  buffer_clear(payload);
}

static struct buffer payload, inner, outer;

static void greet(struct connection *c) {
  buffer_number(&payload, 1, 0x4d535452);
  buffer_number(&payload, 2, 1);
  buffer_number(&payload, 3, 1);
  buffer_field(&payload, 5, "load", 4);
  buffer_number(&payload, 6, 1);
  frame(c, HELLO, 0, 0, 0, &payload);
}

static void greeted(struct connection *c) {
  c->step = 1;
  if (!c->is_watcher) return connection_ready(c);
  buffer_number(&payload, 1, TOPIC_CONFIG);
  frame(c, REQUEST, WATCH, 1, 2 * CREDIT_STEP, &payload);
  // A watch is not answered until something changes; the next call is, and then the watch has begun.
  frame(c, REQUEST, SERVER_INFO, 2, 0, &payload);
}

// An item with a commit is a change; one without says how far everything was shown.
static void item(struct connection *c, const uint8_t *bytes, size_t count) {
  struct own *own = c->own;
  struct field revision, commit;
  if (!field_find(bytes, count, 2, &revision)) return connection_fail(c, "an item without a revision", NULL, 0);
  if (field_find(bytes, count, 3, &commit)) connection_delivered(c, revision.value);
  if (++own->uncredited < CREDIT_STEP) return;
  own->uncredited = 0;
  head(&c->out, 0, CREDIT, 0, 1, CREDIT_STEP);
}

static const char *check_execute(const uint8_t *bytes, size_t count) {
  struct field outcome, commit;
  if (field_find(bytes, count, 3, &outcome)) return "the command was not committed";
  return field_find(bytes, count, 4, &commit) && commit.value > 0 ? NULL : "the answer names no commit";
}

// ReadReply.answer.configs[0].value.bytes
static const char *check_read(const uint8_t *bytes, size_t count) {
  static const uint32_t path[] = {4, 5, 3, 4};
  struct field found = {.bytes = bytes, .count = count};
  for (size_t i = 0; i < sizeof path / sizeof *path; i++)
    if (!field_find(found.bytes, found.count, path[i], &found) || !found.bytes) return "the answer has no value";
  return check_value(found.bytes, found.count);
}

static size_t take(struct connection *c, const uint8_t *bytes, size_t count) {
  if (count < HEAD) return 0;
  size_t length = little32(bytes);
  if (count - HEAD < length) return 0;
  const uint8_t *content = bytes + HEAD;
  uint32_t call = little32(bytes + 8);
  switch (bytes[4]) {
    case HELLO_REPLY:
      greeted(c);
      break;
    case REPLY:
      if (c->is_watcher) connection_ready(c);
      else connection_answer(
          c, call - 1, options.operation == OP_READ ? check_read(content, length) : check_execute(content, length));
      break;
    case ITEM:
      item(c, content, length);
      break;
    case PING:
      head(&c->out, 0, PONG, 0, 0, 0);
      break;
    case PONG:
      break;
    default: {
      struct field message = {0};
      field_find(content, length, 2, &message);
      connection_fail(c, "muster answered an error", message.bytes, message.count);
    }
  }
  return HEAD + length;
}

static void read_request(const char *key, size_t length) {
  buffer_field(&inner, 1, key, length);
  buffer_number(&inner, 3, 1);
  buffer_field(&outer, 5, inner.bytes, buffer_count(&inner));
  buffer_field(&payload, 2, outer.bytes, buffer_count(&outer));
}

static void execute_request(const struct connection *c, uint64_t number, const char *key, size_t length) {
  buffer_field(&inner, 4, fresh_value(), options.value_bytes);
  buffer_field(&outer, 1, key, length);
  buffer_field(&outer, 2, "", 0);
  buffer_field(&outer, 3, inner.bytes, buffer_count(&inner));
  buffer_clear(&inner);
  buffer_field(&inner, 1, outer.bytes, buffer_count(&outer));
  buffer_field(&payload, 1, inner.bytes, buffer_count(&inner));
  char client[32];
  buffer_field(&payload, 2, client, (size_t)snprintf(client, sizeof client, "load.%u", c->index));
  buffer_number(&payload, 3, options.run + number);
}

static void request(struct connection *c, uint64_t number) {
  char key[KEY_MAX];
  size_t length = key_name(key, c, number, '/');
  bool is_read = options.operation == OP_READ;
  if (is_read) read_request(key, length);
  else execute_request(c, number, key, length);
  buffer_clear(&inner);
  buffer_clear(&outer);
  frame(c, REQUEST, is_read ? READ : EXECUTE, (uint32_t)number + 1, 0, &payload);
}

const struct protocol muster = {"muster", sizeof(struct own), greet, take, request};
