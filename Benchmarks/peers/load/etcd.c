// etcd, version 3: gRPC. An append is a Put; a read is a linearizable Range; a watcher watches the keys of all writers.
#include "http2.h"

enum { MESSAGE_HEAD = 5, REQUEST_MAX = VALUE_MAX + 256 };

struct own {
  struct http2 http;
  uint64_t unsent;       // requests that wait for room at the server: the last ones that were asked
  struct buffer message; // of a watch: its messages may come in several frames
};

static void greet(struct connection *c) {
  struct own *own = c->own;
  http2_greet(c, &own->http);
}

static uint32_t stream_of(uint64_t number) { return (uint32_t)number * 2 + 1; }

static void watch(struct connection *c) {
  struct own *own = c->own;
  static struct buffer create, request;
  buffer_clear(&create);
  buffer_clear(&request);
  buffer_field(&create, 1, "bench/", 6);
  buffer_field(&create, 2, "bench0", 6);
  buffer_field(&request, 1, create.bytes, buffer_count(&create));
  http2_headers(c, 1, "/etcdserverpb.Watch/Watch");
  http2_message(c, &own->http, 1, &request, false);
}

// The revision in the header that every answer begins with; 0 when there is none.
static uint64_t revision(const uint8_t *bytes, size_t count) {
  struct field header, found;
  if (!field_find(bytes, count, 1, &header) || !header.bytes) return 0;
  return field_find(header.bytes, header.count, 3, &found) ? found.value : 0;
}

static const char *check(const uint8_t *bytes, size_t count) {
  if (!revision(bytes, count)) return "the answer has no revision";
  if (options.operation != OP_READ) return NULL;
  struct field kv, value;
  if (!field_find(bytes, count, 2, &kv) || !kv.bytes) return "there is no such key";
  if (!field_find(kv.bytes, kv.count, 5, &value) || !value.bytes) return "the answer has no value";
  return check_value(value.bytes, value.count);
}

// WatchResponse: `created` is 3, `canceled` 4, `events` 11; an event's `kv` is 2, whose `mod_revision` is 3.
static void watched(struct connection *c, const uint8_t *bytes, size_t count) {
  const uint8_t *at = bytes, *end = bytes + count;
  struct field field, kv, modified;
  while (field_next(&at, end, &field)) {
    if (field.number == 3 && field.value) connection_ready(c);
    if (field.number == 4 && field.value) connection_fail(c, "etcd ended the watch", NULL, 0);
    if (field.number != 11 || !field.bytes) continue;
    bool is_whole = field_find(field.bytes, field.count, 2, &kv) && kv.bytes &&
                    field_find(kv.bytes, kv.count, 3, &modified);
    if (!is_whole) return connection_fail(c, "an event without a revision", NULL, 0);
    connection_delivered(c, modified.value);
  }
}

static void watch_data(struct connection *c, const struct http2_frame *frame) {
  struct own *own = c->own;
  struct buffer *b = &own->message;
  buffer_append(b, frame->content, frame->count);
  while (buffer_count(b) >= MESSAGE_HEAD) {
    const uint8_t *message = b->bytes + b->start;
    size_t length = big32(message + 1);
    if (buffer_count(b) - MESSAGE_HEAD < length) return;
    watched(c, message + MESSAGE_HEAD, length);
    b->start += MESSAGE_HEAD + length;
  }
}

// An answer is short enough for one frame; what is not whole is counted as an error.
static void unary_data(struct connection *c, const struct http2_frame *frame) {
  if (frame->count == 0) return;
  uint64_t number = (frame->stream - 1) / 2;
  bool is_whole = frame->count > MESSAGE_HEAD && frame->content[0] == 0 &&
                  big32(frame->content + 1) == frame->count - MESSAGE_HEAD && !(frame->flags & FLAG_PADDED);
  connection_answer(
      c, number,
      is_whole ? check(frame->content + MESSAGE_HEAD, frame->count - MESSAGE_HEAD) : "the answer cannot be read");
}

static void send_request(struct connection *c, uint64_t number) {
  struct own *own = c->own;
  static struct buffer message;
  char key[KEY_MAX];
  size_t length = key_name(key, c, number, '/');
  bool is_read = options.operation == OP_READ;
  buffer_clear(&message);
  buffer_field(&message, 1, key, length);
  if (!is_read) buffer_field(&message, 2, fresh_value(), options.value_bytes);
  http2_headers(c, stream_of(number), is_read ? "/etcdserverpb.KV/Range" : "/etcdserverpb.KV/Put");
  http2_message(c, &own->http, stream_of(number), &message, true);
}

static void send_waiting(struct connection *c) {
  struct own *own = c->own;
  while (own->unsent > 0 && own->http.window >= REQUEST_MAX) {
    send_request(c, c->asked - own->unsent);
    own->unsent--;
  }
}

static void request(struct connection *c, uint64_t number) {
  (void)number;
  struct own *own = c->own;
  own->unsent++;
  send_waiting(c);
}

// A call that fails has no message: its answer is headers that end the stream while the call is still open.
static void ended(struct connection *c, const struct http2_frame *frame) {
  uint64_t number = (frame->stream - 1) / 2;
  if (c->is_watcher) return connection_fail(c, "etcd ended the watch", NULL, 0);
  if (number < c->asked && c->began[number % RING]) connection_answer(c, number, "etcd answered an error");
}

static size_t take(struct connection *c, const uint8_t *bytes, size_t count) {
  struct own *own = c->own;
  struct http2_frame frame;
  if (!http2_parse(bytes, count, &frame)) return 0;
  http2_maintain(c, &own->http, &frame);
  if (frame.type == FRAME_SETTINGS && c->step == 0 && !(frame.flags & FLAG_ACK)) {
    c->step = 1;
    if (c->is_watcher) watch(c);
    else connection_ready(c);
  }
  if (frame.type == FRAME_WINDOW) send_waiting(c);
  if (frame.type == FRAME_DATA) (c->is_watcher ? watch_data : unary_data)(c, &frame);
  if (frame.type == FRAME_HEADERS && frame.flags & FLAG_END_STREAM) ended(c, &frame);
  return FRAME_HEAD + frame.count;
}

const struct protocol etcd = {"etcd", sizeof(struct own), greet, take, request};
