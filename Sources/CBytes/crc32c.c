#include "CMusterBytes.h"

#include <string.h>

// Reflected Castagnoli polynomial.
#define POLYNOMIAL 0x82f63b78u

static uint32_t tables[8][256];

__attribute__((constructor)) static void fill_tables(void) {
  for (uint32_t i = 0; i < 256; i++) {
    uint32_t crc = i;
    for (int bit = 0; bit < 8; bit++) crc = (crc >> 1) ^ ((crc & 1) ? POLYNOMIAL : 0);
    tables[0][i] = crc;
  }
  for (int t = 1; t < 8; t++)
    for (uint32_t i = 0; i < 256; i++) tables[t][i] = (tables[t - 1][i] >> 8) ^ tables[0][tables[t - 1][i] & 0xff];
}

uint32_t muster_crc32c_portable(uint32_t crc, const void *bytes, size_t length) {
  const uint8_t *p = bytes;
  crc = ~crc;
  while (length >= 8) {
    uint32_t a = crc ^ ((uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24);
    crc = tables[7][a & 0xff] ^ tables[6][(a >> 8) & 0xff] ^ tables[5][(a >> 16) & 0xff] ^ tables[4][a >> 24] ^
          tables[3][p[4]] ^ tables[2][p[5]] ^ tables[1][p[6]] ^ tables[0][p[7]];
    p += 8;
    length -= 8;
  }
  while (length--) crc = (crc >> 8) ^ tables[0][(crc ^ *p++) & 0xff];
  return ~crc;
}

#if defined(__x86_64__)

#include <nmmintrin.h>

// Bytes each of the three interleaved streams takes per round: the instruction has a latency of three cycles and a
// throughput of one, so three independent streams keep it busy.
#define STREAM 1024

// shift_tables[k][b] advances a checksum whose k-th byte is b over STREAM zero bytes; checksums are linear, so three
// streams are joined by shifting the earlier ones over the later ones.
static uint32_t shift_tables[4][256];

__attribute__((constructor(102))) static void fill_shift_tables(void) {
  for (int k = 0; k < 4; k++)
    for (uint32_t b = 0; b < 256; b++) {
      uint32_t crc = b << (8 * k);
      for (int i = 0; i < STREAM * 8; i++) crc = (crc >> 1) ^ ((crc & 1) ? POLYNOMIAL : 0);
      shift_tables[k][b] = crc;
    }
}

static inline uint32_t shift(uint32_t crc) {
  return shift_tables[0][crc & 0xff] ^ shift_tables[1][(crc >> 8) & 0xff] ^ shift_tables[2][(crc >> 16) & 0xff] ^
         shift_tables[3][crc >> 24];
}

static inline uint64_t load64(const uint8_t *p) {
  uint64_t v;
  memcpy(&v, p, 8);
  return v;
}

__attribute__((target("sse4.2"))) static uint32_t crc32c_sse42(uint32_t crc, const void *bytes, size_t length) {
  const uint8_t *p = bytes;
  uint64_t a = (uint32_t)~crc;
  while (length >= 3 * STREAM) {
    uint64_t b = 0, c = 0;
    for (int i = 0; i < STREAM; i += 8) {
      a = _mm_crc32_u64(a, load64(p + i));
      b = _mm_crc32_u64(b, load64(p + STREAM + i));
      c = _mm_crc32_u64(c, load64(p + 2 * STREAM + i));
    }
    a = shift((uint32_t)a) ^ b;
    a = shift((uint32_t)a) ^ c;
    p += 3 * STREAM;
    length -= 3 * STREAM;
  }
  while (length >= 8) {
    a = _mm_crc32_u64(a, load64(p));
    p += 8;
    length -= 8;
  }
  uint32_t r = (uint32_t)a;
  while (length--) r = _mm_crc32_u8(r, *p++);
  return ~r;
}

bool muster_crc32c_is_accelerated(void) { return __builtin_cpu_supports("sse4.2"); }

uint32_t muster_crc32c(uint32_t crc, const void *bytes, size_t length) {
  if (muster_crc32c_is_accelerated()) return crc32c_sse42(crc, bytes, length);
  return muster_crc32c_portable(crc, bytes, length);
}

#else

bool muster_crc32c_is_accelerated(void) { return false; }

uint32_t muster_crc32c(uint32_t crc, const void *bytes, size_t length) {
  return muster_crc32c_portable(crc, bytes, length);
}

#endif
