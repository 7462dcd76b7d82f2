// The bare group-commit server of Benchmarks/Ceiling: 256 bytes in, 8 bytes out once they are on disk. It only appends.
#include "load.h"

enum { RECORD = 256, ANSWER = 8 };

static void greet(struct connection *c) {
  bool is_possible = options.operation == OP_APPEND && options.value_bytes == RECORD && !c->is_watcher;
  if (is_possible) connection_ready(c);
  else connection_fail(c, "the ceiling only appends values of 256 bytes", NULL, 0);
}

static size_t take(struct connection *c, const uint8_t *bytes, size_t count) {
  (void)bytes;
  if (count < ANSWER) return 0;
  connection_answer_next(c, NULL);
  return ANSWER;
}

static void request(struct connection *c, uint64_t number) {
  (void)number;
  buffer_append(&c->out, fresh_value(), RECORD);
}

const struct protocol ceiling = {"ceiling", 0, greet, take, request};
