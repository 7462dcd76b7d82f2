// One client for every server that is compared, so that none is shown by a better or a worse client than another.
//
//   load PROTOCOL append|fill|read|watch --port P [--clients N] [--pipeline D] [--watchers W] [--seconds S]
//        [--count N] [--value-bytes B] [--keys K] [--handshake]
//
// Protocols: ceiling, etcd, muster, nats, postgres, redis, zookeeper. The result goes to stdout as one JSON object. With
// `--handshake` it says `ready` when everybody is connected, begins when it reads a line, and stays connected after the
// result until it reads another: whoever measures the server's processor time asks at these two moments.
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "loop.h"

struct options options = {.host = "127.0.0.1", .clients = 1, .pipeline = 1, .keys = 64, .value_bytes = 256, .seconds = 5};
const struct protocol *protocol;
static bool has_handshake;

static const struct protocol *const protocols[] = {&ceiling, &etcd, &muster, &nats, &postgres, &resp, &zookeeper};
static const char *const operations[] = {"append", "fill", "read", "watch"};

static void usage(const char *problem) {
  fprintf(
      stderr,
      "load: %s\nusage: load PROTOCOL append|fill|read|watch --port P [--clients N]\n"
      "       [--pipeline D] [--watchers W] [--seconds S] [--count N] [--value-bytes B] [--keys K] [--handshake]\n",
      problem);
  exit(2);
}

static void parse(int count, char **words) {
  if (count < 3) usage("a protocol and an operation");
  for (size_t i = 0; i < sizeof protocols / sizeof *protocols; i++)
    if (!strcmp(words[1], protocols[i]->name)) protocol = protocols[i];
  int operation = -1;
  for (int i = 0; i < 4; i++)
    if (!strcmp(words[2], operations[i])) operation = i;
  if (!protocol || operation < 0) usage("no such protocol or operation");
  options.operation = (enum operation)operation;
  for (int i = 3; i < count; i++) {
    if (!strcmp(words[i], "--handshake")) {
      has_handshake = true;
      continue;
    }
    if (i + 1 >= count) usage("an option wants a value");
    double value = atof(words[i + 1]);
    if (!strcmp(words[i], "--port")) options.port = (int)value;
    else if (!strcmp(words[i], "--clients")) options.clients = (int)value;
    else if (!strcmp(words[i], "--pipeline")) options.pipeline = (int)value;
    else if (!strcmp(words[i], "--watchers")) options.watchers = (int)value;
    else if (!strcmp(words[i], "--keys")) options.keys = (int)value;
    else if (!strcmp(words[i], "--value-bytes")) options.value_bytes = (size_t)value;
    else if (!strcmp(words[i], "--seconds")) options.seconds = value;
    else if (!strcmp(words[i], "--count")) options.count = (uint64_t)value;
    else usage("no such option");
    i++;
  }
  if (options.port < 1 || options.port > 65535) usage("--port");
  if (options.clients < 1 || options.clients > 4000 || options.watchers < 0 || options.watchers > 4000) usage("too many");
  if (options.pipeline < 1 || options.pipeline > PIPELINE_MAX || options.keys < 1) usage("--pipeline or --keys");
  if (options.value_bytes < 8 || options.value_bytes > VALUE_MAX) usage("--value-bytes");
  if (options.seconds <= 0 || options.seconds > 3600) usage("--seconds");
  if ((options.operation == OP_WATCH) != (options.watchers > 0)) usage("watch wants --watchers, nothing else does");
}

static void wait_for_line(void) {
  char line[16];
  if (!fgets(line, sizeof line, stdin)) exit(0);
}

static double processor_seconds(void) {
  struct rusage used;
  getrusage(RUSAGE_SELF, &used);
  return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
         (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

static void report(double processor) {
  const struct histogram *h = &result.latencies;
  printf(
      "{\"protocol\":\"%s\",\"operation\":\"%s\",\"clients\":%d,\"pipeline\":%d,\"watchers\":%d,\"seconds\":%.3f,"
      "\"operations\":%llu,\"perSecond\":%.1f,\"p50\":%.1f,\"p90\":%.1f,\"p99\":%.1f,\"p999\":%.1f,\"max\":%.1f,",
      protocol->name, operations[options.operation], options.clients, options.pipeline, options.watchers, result.seconds,
      (unsigned long long)h->samples, (double)h->samples / result.seconds, histogram_percentile(h, 0.5),
      histogram_percentile(h, 0.9), histogram_percentile(h, 0.99), histogram_percentile(h, 0.999),
      (double)h->slowest / 1000);
  printf(
      "\"deliveries\":%llu,\"deliveriesPerSecond\":%.1f,\"outOfOrder\":%llu,\"missing\":%llu,\"errors\":%llu,"
      "\"firstError\":\"%s\",\"loadProcessorSeconds\":%.3f}\n",
      (unsigned long long)result.deliveries, (double)result.deliveries / result.delivery_seconds,
      (unsigned long long)result.out_of_order, (unsigned long long)result.missing, (unsigned long long)result.errors,
      result.first_error, processor);
  fflush(stdout);
}

int main(int count, char **words) {
  parse(count, words);
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  options.run = (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
  loop_connect();
  if (has_handshake) {
    printf("ready\n");
    fflush(stdout);
    wait_for_line();
  }
  double before = processor_seconds();
  loop_run();
  report(processor_seconds() - before);
  if (has_handshake) wait_for_line();
  return result.errors || result.out_of_order || result.missing ? 1 : 0;
}
