#include "common.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { STEPS = 64, STEP_BITS = 6 };

static int64_t nanoseconds(const struct timespec *time)
{
    return (int64_t)time->tv_sec * 1000000000 + time->tv_nsec;
}

int64_t bench_now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return nanoseconds(&time);
}

void bench_sleep_until(int64_t when)
{
    const struct timespec until = { .tv_sec = when / 1000000000, .tv_nsec = when % 1000000000 };

    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR)
        continue;
}

int64_t bench_cpu(pid_t pid)
{
    struct timespec time;
    clockid_t clock;

    if (pid == 0)
        return 0;
    if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &time) != 0)
        bench_die("process %d is gone", (int)pid);
    return nanoseconds(&time);
}

char *bench_read(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    char *bytes;
    long length;

    if (!file || fseek(file, 0, SEEK_END) != 0 || (length = ftell(file)) < 0 || fseek(file, 0, SEEK_SET) != 0)
        bench_die("%s: %s", path, strerror(errno));
    bytes = calloc(1, (size_t)length + 1);
    if (!bytes || fread(bytes, 1, (size_t)length, file) != (size_t)length)
        bench_die("%s: cannot be read whole", path);
    fclose(file);
    *size = (size_t)length;
    return bytes;
}

void bench_die(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    exit(EXIT_FAILURE);
}

/* --------------------------------------------------------------------------------------------------------- latencies */

static size_t place_of(uint64_t value)
{
    unsigned int power;

    if (value < STEPS)
        return value;
    power = 63u - (unsigned int)__builtin_clzll(value);
    return (power - STEP_BITS + 1) * STEPS + (value >> (power - STEP_BITS)) % STEPS;
}

static double value_of(size_t place)
{
    size_t power = place / STEPS;

    return power == 0 ? (double)place : (double)((STEPS + place % STEPS) << (power - 1));
}

void bench_latency_note(struct bench_latency *latency, int64_t value)
{
    size_t place = place_of(value > 0 ? (uint64_t)value : 0),
           most = sizeof(latency->count) / sizeof(*latency->count) - 1;

    latency->count[place < most ? place : most]++;
    latency->total++;
}

void bench_latency_add(struct bench_latency *sum, const struct bench_latency *latency)
{
    for (size_t i = 0; i < sizeof(sum->count) / sizeof(*sum->count); i++)
        sum->count[i] += latency->count[i];
    sum->total += latency->total;
}

double bench_latency_quantile(const struct bench_latency *latency, double share)
{
    const double wanted = share * (double)latency->total;
    uint64_t seen = 0;
    size_t i = 0;

    while (i < sizeof(latency->count) / sizeof(*latency->count) - 1) {
        seen += latency->count[i];
        if ((double)seen >= wanted)
            break;
        i++;
    }
    return value_of(i) / 1e6;
}

void bench_print(const struct bench_result *result)
{
    printf("{\"done\": %" PRIu64 ", \"failed\": %" PRIu64 ", \"seconds\": %.6f, \"cpu\": %.6f", result->done,
           result->failed, (double)result->elapsed / 1e9, (double)result->cpu / 1e9);
    if (result->latency)
        printf(", \"p50\": %.4f, \"p99\": %.4f, \"p999\": %.4f, \"worst\": %.4f",
               bench_latency_quantile(result->latency, 0.5), bench_latency_quantile(result->latency, 0.99),
               bench_latency_quantile(result->latency, 0.999), bench_latency_quantile(result->latency, 1));
    puts("}");
    fflush(stdout);
}
