// Latencies in nanoseconds, kept to 1.6 % over their whole range.
#ifndef HISTOGRAM_H
#define HISTOGRAM_H

#include <stdint.h>

enum { HISTOGRAM_PARTS = 64, HISTOGRAM_BUCKETS = 40 * HISTOGRAM_PARTS };

struct histogram {
  uint64_t counts[HISTOGRAM_BUCKETS];
  uint64_t samples, slowest;
};

void histogram_record(struct histogram *h, uint64_t nanoseconds);
// The latency in microseconds that this share of the samples did not exceed.
double histogram_percentile(const struct histogram *h, double share);

#endif
