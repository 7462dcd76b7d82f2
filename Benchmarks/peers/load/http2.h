// The little of HTTP/2 (RFC 9113) that a gRPC client needs: unary calls and one stream, with flow control.
#ifndef HTTP2_H
#define HTTP2_H

#include "load.h"

enum frame_type {
  FRAME_DATA = 0,
  FRAME_HEADERS = 1,
  FRAME_RESET = 3,
  FRAME_SETTINGS = 4,
  FRAME_PING = 6,
  FRAME_GO_AWAY = 7,
  FRAME_WINDOW = 8,
};
enum { FLAG_END_STREAM = 1, FLAG_ACK = 1, FLAG_END_HEADERS = 4, FLAG_PADDED = 8, FRAME_HEAD = 9 };

struct http2 {
  int64_t window;       // bytes of DATA that the server takes on this connection
  uint32_t unreturned;  // bytes of DATA that it sent since it was last given room
};

struct http2_frame {
  enum frame_type type;
  uint8_t flags;
  uint32_t stream;
  const uint8_t *content;
  size_t count;
};

void http2_greet(struct connection *c, struct http2 *h);
// False when the frame is not whole yet.
bool http2_parse(const uint8_t *bytes, size_t count, struct http2_frame *frame);
// Does what concerns the connection (settings, pings, windows), and returns room for DATA that came on `frame`.
void http2_maintain(struct connection *c, struct http2 *h, const struct http2_frame *frame);
// The headers of a gRPC call, and one message of it.
void http2_headers(struct connection *c, uint32_t stream, const char *path);
void http2_message(struct connection *c, struct http2 *h, uint32_t stream, const struct buffer *message, bool is_last);

#endif
