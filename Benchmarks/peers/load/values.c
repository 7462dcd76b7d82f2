// Keys and values: the same for every protocol.
#include <stdio.h>

#include "load.h"

static const uint8_t mark[4] = {'l', 'o', 'a', 'd'};

const uint8_t *fresh_value(void) {
  static uint64_t value[VALUE_MAX / 8];
  static uint64_t state;
  if (!state) state = options.run * 0x9e3779b97f4a7c15 | 1;
  for (size_t word = 0; word < (options.value_bytes + 7) / 8; word++) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    value[word] = state;
  }
  memcpy(value, mark, sizeof mark);
  return (const uint8_t *)value;
}

const char *check_value(const uint8_t *bytes, size_t count) {
  if (count != options.value_bytes) return "the value has another length";
  return memcmp(bytes, mark, sizeof mark) ? "the value is another" : NULL;
}

size_t key_name(char key[KEY_MAX], const struct connection *c, uint64_t number, char separator) {
  bool is_new = options.operation == OP_FILL;
  uint64_t client = options.operation == OP_READ ? 0 : c->index;
  uint64_t item = is_new ? number : number % (uint64_t)options.keys;
  int count = snprintf(
      key, KEY_MAX, "bench%c%c%llu%ck%llu", separator, is_new ? 'f' : 'c', (unsigned long long)client, separator,
      (unsigned long long)item);
  return (size_t)count;
}
