#include "histogram.h"

// Below 64 a bucket each; from there on 64 buckets for every doubling.
static int bucket(uint64_t value) {
  if (value < HISTOGRAM_PARTS) return (int)value;
  int doublings = 63 - __builtin_clzll(value) - 6;
  int index = (doublings + 1) * HISTOGRAM_PARTS + (int)(value >> doublings) - HISTOGRAM_PARTS;
  return index < HISTOGRAM_BUCKETS ? index : HISTOGRAM_BUCKETS - 1;
}

static uint64_t highest(int index) {
  if (index < HISTOGRAM_PARTS) return (uint64_t)index;
  int doublings = index / HISTOGRAM_PARTS - 1;
  return ((uint64_t)(index % HISTOGRAM_PARTS + HISTOGRAM_PARTS + 1) << doublings) - 1;
}

void histogram_record(struct histogram *h, uint64_t nanoseconds) {
  h->counts[bucket(nanoseconds)]++;
  h->samples++;
  if (nanoseconds > h->slowest) h->slowest = nanoseconds;
}

double histogram_percentile(const struct histogram *h, double share) {
  uint64_t wanted = (uint64_t)((double)h->samples * share), seen = 0;
  for (int index = 0; index < HISTOGRAM_BUCKETS; index++) {
    seen += h->counts[index];
    if (seen > wanted) return (double)(highest(index) < h->slowest ? highest(index) : h->slowest) / 1000;
  }
  return (double)h->slowest / 1000;
}
