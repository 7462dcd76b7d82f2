// NATS JetStream: lines of text. An append is a message to a stream, answered when the stream has it; a watcher is an
// ordered push consumer of the stream.
#include <stdio.h>
#include <stdlib.h>

#include "load.h"

// How the greeting goes on: the stream is made if it is not there, then a watcher's consumer.
enum step { INFO, STREAM, CONSUMER, READY };

struct own {
  char inbox[24];
};

static void command(struct connection *c, const char *subject, const char *content) {
  struct own *own = c->own;
  buffer_text(&c->out, "PUB %s %s.s %zu\r\n%s\r\n", subject, own->inbox, strlen(content), content);
}

static void informed(struct connection *c) {
  struct own *own = c->own;
  snprintf(own->inbox, sizeof own->inbox, "_INBOX.%c%u", c->is_watcher ? 'w' : 'c', c->index);
  buffer_text(
      &c->out,
      "CONNECT {\"verbose\":false,\"pedantic\":false,\"headers\":true,\"no_responders\":true,\"name\":\"load\"}\r\n"
      "SUB %s.%s 1\r\n",
      own->inbox, c->is_watcher ? "s" : "*");
  command(
      c, "$JS.API.STREAM.CREATE.bench",
      "{\"name\":\"bench\",\"subjects\":[\"bench.>\"],\"retention\":\"limits\",\"storage\":\"file\",\"discard\":\"old\","
      "\"max_consumers\":-1,\"max_msgs\":-1,\"max_bytes\":-1,\"max_age\":0,\"num_replicas\":1,\"allow_direct\":true}");
  c->step = STREAM;
}

static void stream_made(struct connection *c) {
  struct own *own = c->own;
  c->step = c->is_watcher ? CONSUMER : READY;
  if (!c->is_watcher) return connection_ready(c);
  // The server looks for interest in exactly this subject; one with a wildcard is none.
  buffer_text(&c->out, "SUB %s.d 2\r\n", own->inbox);
  char content[256];
  snprintf(
      content, sizeof content,
      "{\"stream_name\":\"bench\",\"config\":{\"deliver_subject\":\"%s.d\",\"deliver_policy\":\"new\","
      "\"ack_policy\":\"none\",\"replay_policy\":\"instant\",\"mem_storage\":true}}",
      own->inbox);
  command(c, "$JS.API.CONSUMER.CREATE.bench", content);
}

static bool contains(const uint8_t *bytes, size_t count, const char *word) {
  return memmem(bytes, count, word, strlen(word)) != NULL;
}

// The consumer's own sequence in `$JS.ACK.stream.consumer.delivered.stream-sequence.consumer-sequence.time.pending`.
static uint64_t position(const char *reply) {
  for (int dots = 0; dots < 6; dots++) {
    reply = strchr(reply, '.');
    if (!reply) return 0;
    reply++;
  }
  return strtoull(reply, NULL, 10);
}

static void answered(
    struct connection *c, const char *subject, const char *reply, const uint8_t *content, size_t headers, size_t count) {
  const char *token = strrchr(subject, '.');
  if (c->step < READY) {
    bool is_refused = headers > 0 || contains(content, count, "\"error\"");
    if (is_refused) return connection_fail(c, "nats refused the greeting", content, count);
    if (c->step == STREAM) return stream_made(c);
    c->step = READY;
    return connection_ready(c);
  }
  if (c->is_watcher) return connection_delivered(c, position(reply));
  if (!token) return connection_fail(c, "nats sent what was not asked for", subject, strlen(subject));
  const char *problem;
  if (options.operation == OP_READ) problem = check_value(content + headers, count - headers);
  else problem = contains(content, count, "\"seq\":") ? NULL : "the stream did not take the message";
  connection_answer(c, strtoull(token + 1, NULL, 10), problem);
}

// MSG subject sid [reply] bytes, or HMSG subject sid [reply] header-bytes bytes; for a consumer the subject is the
// message's own.
static size_t take_message(struct connection *c, const uint8_t *bytes, size_t count, const uint8_t *end) {
  char line[512];
  size_t length = (size_t)(end - bytes);
  if (length >= sizeof line) {
    connection_fail(c, "nats sent a long line", NULL, 0);
    return count;
  }
  memcpy(line, bytes, length);
  line[length] = 0;
  char *words[8], *rest = line;
  int found = 0;
  for (char *word; found < 8 && (word = strsep(&rest, " "));) words[found++] = word;
  bool has_headers = *bytes == 'H';
  int fixed = has_headers ? 5 : 4;
  if (found != fixed && found != fixed + 1) {
    connection_fail(c, "nats sent a line that cannot be read", bytes, length);
    return count;
  }
  size_t content = strtoul(words[found - 1], NULL, 10), whole = length + 2 + content + 2;
  if (count < whole) return 0;
  size_t headers = has_headers ? strtoul(words[found - 2], NULL, 10) : 0;
  const char *reply = found == fixed + 1 ? words[3] : "";
  answered(c, words[1], reply, end + 2, headers <= content ? headers : content, content);
  return whole;
}

static size_t take(struct connection *c, const uint8_t *bytes, size_t count) {
  const uint8_t *end = memchr(bytes, '\r', count);
  if (!end || end + 1 >= bytes + count) return 0;
  size_t length = (size_t)(end - bytes);
  if (length > 4 && (!memcmp(bytes, "MSG ", 4) || !memcmp(bytes, "HMSG", 4))) return take_message(c, bytes, count, end);
  if (length >= 4 && !memcmp(bytes, "INFO", 4) && c->step == INFO) informed(c);
  else if (length >= 4 && !memcmp(bytes, "PING", 4)) buffer_text(&c->out, "PONG\r\n");
  else if (length >= 4 && !memcmp(bytes, "-ERR", 4)) connection_fail(c, "nats answered an error", bytes, length);
  return length + 2;
}

static void request(struct connection *c, uint64_t number) {
  struct own *own = c->own;
  char key[KEY_MAX];
  key_name(key, c, number, '.');
  if (options.operation == OP_READ) {
    buffer_text(
        &c->out, "PUB $JS.API.DIRECT.GET.bench.%s %s.%llu 0\r\n\r\n", key, own->inbox, (unsigned long long)number);
    return;
  }
  buffer_text(&c->out, "PUB %s %s.%llu %zu\r\n", key, own->inbox, (unsigned long long)number, options.value_bytes);
  buffer_append(&c->out, fresh_value(), options.value_bytes);
  buffer_append(&c->out, "\r\n", 2);
}

const struct protocol nats = {"nats", sizeof(struct own), NULL, take, request};
