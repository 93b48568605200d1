/* What the load generators share: time, CPU time of a server, latencies. */
#ifndef HABIT_BENCH_COMMON_H
#define HABIT_BENCH_COMMON_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Monotonic nanoseconds. */
int64_t bench_now(void);

/* Sleeps until then; returns at once when it is over. */
void bench_sleep_until(int64_t when);

/* CPU time that a process has used, ns; 0 for pid 0. Ends the program where there is no such process. */
int64_t bench_cpu(pid_t pid);

/* A whole file, ended by a NUL that does not count; heap. Ends the program where it cannot be read. */
char *bench_read(const char *path, size_t *size);

/* Ends the program with a message. */
_Noreturn void bench_die(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Latencies, 64 steps for each power of two: within 1.6 %. One writer; several are added up by bench_latency_add. */
struct bench_latency {
    uint64_t count[64 * 40];
    uint64_t total;
};

void bench_latency_note(struct bench_latency *latency, int64_t nanoseconds);
void bench_latency_add(struct bench_latency *sum, const struct bench_latency *latency);

/* Milliseconds that this share (0..1) of them stays below. */
double bench_latency_quantile(const struct bench_latency *latency, double share);

/* What a load generator found, as one line of JSON on standard output. cpu: of the server, ns. */
struct bench_result {
    uint64_t done, failed;
    int64_t elapsed, cpu;
    const struct bench_latency *latency;
};
void bench_print(const struct bench_result *result);

#endif
