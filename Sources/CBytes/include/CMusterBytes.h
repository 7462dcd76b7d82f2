// Checksums that want the processor's own instructions. Everything here is pure: bytes in, number out.
#ifndef MUSTER_BYTES_H
#define MUSTER_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// CRC-32C (Castagnoli, RFC 3720) of `length` bytes, continuing from `crc` (0 to begin).
// The instruction is chosen at run time; a processor without one gets the portable tables.
uint32_t muster_crc32c(uint32_t crc, const void *bytes, size_t length);

// The portable form, exposed so that tests can compare the two.
uint32_t muster_crc32c_portable(uint32_t crc, const void *bytes, size_t length);

// True when this processor computes CRC-32C in hardware.
bool muster_crc32c_is_accelerated(void);

typedef struct {
  uint64_t low;
  uint64_t high;
} muster_hash128_t;

// MurmurHash3, x64, 128 bits, as Austin Appleby published it into the public domain.
// Not cryptographic: it finds divergence, not forgery.
muster_hash128_t muster_hash128(const void *bytes, size_t length, uint32_t seed);

#endif
