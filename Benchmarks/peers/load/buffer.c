#include "buffer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void buffer_reserve(struct buffer *b, size_t count) {
  if (b->start == b->end) b->start = b->end = 0;
  if (b->capacity - b->end >= count) return;
  size_t held = buffer_count(b);
  if (b->start > 0) memmove(b->bytes, b->bytes + b->start, held);
  b->start = 0;
  b->end = held;
  if (b->capacity - held >= count) return;
  while (b->capacity - held < count) b->capacity = b->capacity ? b->capacity * 2 : 1024;
  b->bytes = realloc(b->bytes, b->capacity);
  if (!b->bytes) abort();
}

void buffer_append(struct buffer *b, const void *bytes, size_t count) {
  buffer_reserve(b, count);
  memcpy(b->bytes + b->end, bytes, count);
  b->end += count;
}

void buffer_text(struct buffer *b, const char *format, ...) {
  buffer_reserve(b, 2048);
  va_list arguments;
  va_start(arguments, format);
  int count = vsnprintf((char *)b->bytes + b->end, 2048, format, arguments);
  va_end(arguments);
  if (count < 0 || count >= 2048) abort();
  b->end += (size_t)count;
}

void buffer_byte(struct buffer *b, uint8_t value) { buffer_append(b, &value, 1); }

void buffer_big16(struct buffer *b, uint16_t value) {
  value = __builtin_bswap16(value);
  buffer_append(b, &value, 2);
}

void buffer_big32(struct buffer *b, uint32_t value) {
  value = __builtin_bswap32(value);
  buffer_append(b, &value, 4);
}

void buffer_big64(struct buffer *b, uint64_t value) {
  value = __builtin_bswap64(value);
  buffer_append(b, &value, 8);
}

void buffer_little32(struct buffer *b, uint32_t value) { buffer_append(b, &value, 4); }

void buffer_varint(struct buffer *b, uint64_t value) {
  buffer_reserve(b, 10);
  for (; value > 127; value >>= 7) b->bytes[b->end++] = (uint8_t)(value | 128);
  b->bytes[b->end++] = (uint8_t)value;
}

void buffer_field(struct buffer *b, int number, const void *bytes, size_t count) {
  buffer_varint(b, (uint64_t)number << 3 | 2);
  buffer_varint(b, count);
  buffer_append(b, bytes, count);
}

void buffer_number(struct buffer *b, int number, uint64_t value) {
  buffer_varint(b, (uint64_t)number << 3);
  buffer_varint(b, value);
}

static bool varint(const uint8_t **at, const uint8_t *end, uint64_t *value) {
  *value = 0;
  for (int shift = 0; *at < end && shift < 64; shift += 7) {
    uint8_t byte = *(*at)++;
    *value |= (uint64_t)(byte & 127) << shift;
    if (byte < 128) return true;
  }
  return false;
}

bool field_next(const uint8_t **at, const uint8_t *end, struct field *found) {
  uint64_t key;
  if (*at >= end || !varint(at, end, &key)) return false;
  *found = (struct field){.number = (uint32_t)(key >> 3)};
  size_t fixed = (key & 7) == 1 ? 8 : (key & 7) == 5 ? 4 : 0;
  if ((key & 7) == 0) return varint(at, end, &found->value);
  if ((key & 7) == 2) {
    if (!varint(at, end, &found->value) || found->value > (uint64_t)(end - *at)) return false;
    found->bytes = *at;
    found->count = (size_t)found->value;
    *at += found->count;
    return true;
  }
  if (!fixed || fixed > (size_t)(end - *at)) return false;
  *at += fixed;
  return true;
}

bool field_find(const uint8_t *bytes, size_t count, uint32_t number, struct field *found) {
  const uint8_t *at = bytes, *end = bytes + count;
  while (field_next(&at, end, found))
    if (found->number == number) return true;
  return false;
}
