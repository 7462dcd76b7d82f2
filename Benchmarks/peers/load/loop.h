// The loop: connects, asks, counts, and ends by itself.
#ifndef LOOP_H
#define LOOP_H

#include "histogram.h"
#include "load.h"

struct result {
  struct histogram latencies;
  double seconds;           // of asking
  double delivery_seconds;  // until every watcher had seen every change
  uint64_t errors, deliveries, out_of_order, missing;
  char first_error[256];
};
extern struct result result;

uint64_t nanoseconds(void);
// Connects everybody and returns when all are ready.
void loop_connect(void);
// Asks for the time or the number of operations that the options say, and waits for what is on its way.
void loop_run(void);

#endif
