// Bytes that wait: what was read and is not whole yet, what is to be written, and the encodings that protocols share.
#ifndef BUFFER_H
#define BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct buffer {
  uint8_t *bytes;
  size_t start, end, capacity;
};

// Room for so many bytes behind `end`.
void buffer_reserve(struct buffer *b, size_t count);
void buffer_append(struct buffer *b, const void *bytes, size_t count);
void buffer_text(struct buffer *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
void buffer_byte(struct buffer *b, uint8_t value);
void buffer_big16(struct buffer *b, uint16_t value);
void buffer_big32(struct buffer *b, uint32_t value);
void buffer_big64(struct buffer *b, uint64_t value);
void buffer_little32(struct buffer *b, uint32_t value);
void buffer_varint(struct buffer *b, uint64_t value);
// A field of a Protocol Buffers message: bytes with their length, or a number.
void buffer_field(struct buffer *b, int number, const void *bytes, size_t count);
void buffer_number(struct buffer *b, int number, uint64_t value);

static inline size_t buffer_count(const struct buffer *b) { return b->end - b->start; }

static inline void buffer_clear(struct buffer *b) { b->start = b->end = 0; }

static inline uint32_t big32(const uint8_t *p) {
  return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static inline uint64_t big64(const uint8_t *p) { return (uint64_t)big32(p) << 32 | big32(p + 4); }

static inline uint32_t little32(const uint8_t *p) {
  uint32_t value;
  memcpy(&value, p, 4);
  return value;
}

// One field of a Protocol Buffers message; `bytes` is nil when it is a number.
struct field {
  uint32_t number;
  uint64_t value;
  const uint8_t *bytes;
  size_t count;
};

// Reads the field at `*at` and moves on; false at the end, or when the message cannot be read.
bool field_next(const uint8_t **at, const uint8_t *end, struct field *found);
// The first field with a number.
bool field_find(const uint8_t *bytes, size_t count, uint32_t number, struct field *found);

#endif
