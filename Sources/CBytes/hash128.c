#include "CMusterBytes.h"

#include <string.h>

static inline uint64_t rotate(uint64_t x, int r) { return (x << r) | (x >> (64 - r)); }

static inline uint64_t finish(uint64_t k) {
  k ^= k >> 33;
  k *= 0xff51afd7ed558ccdULL;
  k ^= k >> 33;
  k *= 0xc4ceb9fe1a85ec53ULL;
  k ^= k >> 33;
  return k;
}

muster_hash128_t muster_hash128(const void *bytes, size_t length, uint32_t seed) {
  const uint8_t *p = bytes;
  const uint64_t c1 = 0x87c37b91114253d5ULL, c2 = 0x4cf5ad432745937fULL;
  uint64_t h1 = seed, h2 = seed;
  size_t left = length;
  while (left >= 16) {
    uint64_t k1, k2;
    memcpy(&k1, p, 8);
    memcpy(&k2, p + 8, 8);
    h1 ^= rotate(k1 * c1, 31) * c2;
    h1 = (rotate(h1, 27) + h2) * 5 + 0x52dce729;
    h2 ^= rotate(k2 * c2, 33) * c1;
    h2 = (rotate(h2, 31) + h1) * 5 + 0x38495ab5;
    p += 16;
    left -= 16;
  }
  uint8_t tail[16] = {0};
  if (left) memcpy(tail, p, left);
  uint64_t k1, k2;
  memcpy(&k1, tail, 8);
  memcpy(&k2, tail + 8, 8);
  if (left > 8) h2 ^= rotate(k2 * c2, 33) * c1;
  if (left > 0) h1 ^= rotate(k1 * c1, 31) * c2;
  h1 ^= length;
  h2 ^= length;
  h1 += h2;
  h2 += h1;
  h1 = finish(h1);
  h2 = finish(h2);
  h1 += h2;
  h2 += h1;
  return (muster_hash128_t){h1, h2};
}
