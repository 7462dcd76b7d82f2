#include "http2.h"

#include <stdio.h>

enum { WINDOW_START = 65535, WINDOW_MAX = 0x7fffffff, WINDOW_STEP = 1 << 20 };
enum { SETTING_TABLE_SIZE = 1, SETTING_PUSH = 2, SETTING_WINDOW = 4 };

static void frame_head(struct buffer *b, size_t count, enum frame_type type, uint8_t flags, uint32_t stream) {
  uint8_t head[FRAME_HEAD] = {
      (uint8_t)(count >> 16), (uint8_t)(count >> 8), (uint8_t)count, (uint8_t)type, flags,
      (uint8_t)(stream >> 24), (uint8_t)(stream >> 16), (uint8_t)(stream >> 8), (uint8_t)stream,
  };
  buffer_append(b, head, sizeof head);
}

static void give_window(struct connection *c, uint32_t stream, uint32_t bytes) {
  frame_head(&c->out, 4, FRAME_WINDOW, 0, stream);
  buffer_big32(&c->out, bytes);
}

static void setting(struct buffer *b, uint16_t name, uint32_t value) {
  buffer_big16(b, name);
  buffer_big32(b, value);
}

void http2_greet(struct connection *c, struct http2 *h) {
  h->window = WINDOW_START;
  buffer_text(&c->out, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
  frame_head(&c->out, 18, FRAME_SETTINGS, 0, 0);
  // Without a table every header block stands for itself: they may be passed over.
  setting(&c->out, SETTING_TABLE_SIZE, 0);
  setting(&c->out, SETTING_PUSH, 0);
  setting(&c->out, SETTING_WINDOW, WINDOW_MAX);
  give_window(c, 0, WINDOW_MAX - WINDOW_START);
}

bool http2_parse(const uint8_t *bytes, size_t count, struct http2_frame *frame) {
  if (count < FRAME_HEAD) return false;
  frame->count = big32(bytes) >> 8;
  frame->type = (enum frame_type)bytes[3];
  frame->flags = bytes[4];
  frame->stream = big32(bytes + 5) & WINDOW_MAX;
  frame->content = bytes + FRAME_HEAD;
  return count - FRAME_HEAD >= frame->count;
}

void http2_maintain(struct connection *c, struct http2 *h, const struct http2_frame *frame) {
  switch (frame->type) {
    case FRAME_SETTINGS:
      if (!(frame->flags & FLAG_ACK)) frame_head(&c->out, 0, FRAME_SETTINGS, FLAG_ACK, 0);
      break;
    case FRAME_PING:
      if (frame->flags & FLAG_ACK || frame->count != 8) break;
      frame_head(&c->out, 8, FRAME_PING, FLAG_ACK, 0);
      buffer_append(&c->out, frame->content, 8);
      break;
    case FRAME_WINDOW:
      if (frame->count == 4 && frame->stream == 0) h->window += big32(frame->content) & WINDOW_MAX;
      break;
    case FRAME_DATA:
      h->unreturned += (uint32_t)frame->count;
      if (h->unreturned < WINDOW_STEP) break;
      give_window(c, 0, h->unreturned);
      // A stream that is over needs no room; the only long one is a watch.
      if (c->is_watcher) give_window(c, frame->stream, h->unreturned);
      h->unreturned = 0;
      break;
    case FRAME_GO_AWAY:
      connection_fail(c, "the server ends the connection", frame->content, frame->count);
      break;
    case FRAME_RESET:
      connection_fail(c, "the server ended a call", NULL, 0);
      break;
    case FRAME_HEADERS:
      break;
  }
}

// A header whose name is in the static table (RFC 7541, appendix A), and one whose name is not; neither is indexed.
static void indexed_name(struct buffer *b, uint8_t name, const char *value) {
  if (name < 15) {
    buffer_byte(b, name);
  } else {
    buffer_byte(b, 15);
    buffer_byte(b, (uint8_t)(name - 15));
  }
  buffer_byte(b, (uint8_t)strlen(value));
  buffer_append(b, value, strlen(value));
}

static void new_name(struct buffer *b, const char *name, const char *value) {
  buffer_byte(b, 0);
  buffer_byte(b, (uint8_t)strlen(name));
  buffer_append(b, name, strlen(name));
  buffer_byte(b, (uint8_t)strlen(value));
  buffer_append(b, value, strlen(value));
}

void http2_headers(struct connection *c, uint32_t stream, const char *path) {
  static struct buffer block;
  char authority[64];
  snprintf(authority, sizeof authority, "%s:%d", options.host, options.port);
  buffer_clear(&block);
  buffer_byte(&block, 0x83);  // :method POST
  buffer_byte(&block, 0x86);  // :scheme http
  indexed_name(&block, 4, path);
  indexed_name(&block, 1, authority);
  indexed_name(&block, 31, "application/grpc");
  new_name(&block, "te", "trailers");
  frame_head(&c->out, buffer_count(&block), FRAME_HEADERS, FLAG_END_HEADERS, stream);
  buffer_append(&c->out, block.bytes, buffer_count(&block));
}

void http2_message(struct connection *c, struct http2 *h, uint32_t stream, const struct buffer *message, bool is_last) {
  size_t count = buffer_count(message) + 5;
  frame_head(&c->out, count, FRAME_DATA, is_last ? FLAG_END_STREAM : 0, stream);
  buffer_byte(&c->out, 0);
  buffer_big32(&c->out, (uint32_t)count - 5);
  buffer_append(&c->out, message->bytes + message->start, count - 5);
  h->window -= (int64_t)count;
}
