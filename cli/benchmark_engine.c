/* How long the engine takes: one processor, medians. */
#include <stdlib.h>

#include "benchmark.h"
#include "chance.h"
#include "detector.h"
#include "message.h"

static const struct {
    uint16_t buffer_size;
    uint8_t axes;
} sizes[] = { { 64, 1 }, { 256, 1 }, { 256, 3 }, { 1024, 3 }, { 4096, 1 } };

enum { SIZES = sizeof(sizes) / sizeof(sizes[0]), NOISES = 16, LEARNED = 100, ROUND = 20, ROUNDS_MOST = 100000 };

struct subject {
    struct detector detector;
    float *samples; /* NOISES buffers */
    size_t values;
};

static void fill(struct subject *subject)
{
    struct chance chance = { 1 };

    for (size_t i = 0; i < NOISES * subject->values; i++)
        subject->samples[i] = (float)chance_gauss(&chance);
}

static int learn_one(struct subject *subject, size_t number)
{
    return habit_learn(&subject->detector.engine, subject->samples + number % NOISES * subject->values, subject->values,
                       NULL);
}

static int detect_one(struct subject *subject, size_t number)
{
    struct habit_result result;

    return habit_detect(&subject->detector.engine, subject->samples + number % NOISES * subject->values,
                        subject->values, &result);
}

/* Median of many rounds, in microseconds a call. */
static double measure(struct subject *subject, double seconds, int (*call)(struct subject *, size_t))
{
    double *rounds = malloc(ROUNDS_MOST * sizeof(*rounds)), end = benchmark_now() + seconds, median;
    size_t count = 0, number = 0;

    while (rounds && count < ROUNDS_MOST && benchmark_now() < end) {
        double began = benchmark_now();

        for (int i = 0; i < ROUND; i++)
            call(subject, number++);
        rounds[count++] = (benchmark_now() - began) / ROUND * 1e6;
    }
    if (rounds)
        benchmark_sort(rounds, count);
    median = rounds ? benchmark_quantile(rounds, count, 0.5) : 0;
    free(rounds);
    return median;
}

static int measure_size(struct benchmark *benchmark, uint16_t buffer_size, uint8_t axes)
{
    const double seconds = benchmark->seconds / 4;
    struct habit_config config = HABIT_CONFIG_DEFAULT;
    struct subject subject = { .values = (size_t)buffer_size * axes };
    double learn, detect;
    int r;

    config.buffer_size = buffer_size;
    config.axes = axes;
    subject.samples = malloc(NOISES * subject.values * sizeof(float));
    if (!subject.samples)
        return complain_errno("hold", "buffers");
    r = detector_init(&subject.detector, &config);
    if (r == 0) {
        fill(&subject);
        for (size_t i = 0; i < LEARNED; i++)
            learn_one(&subject, i);
        detect = measure(&subject, seconds, detect_one);
        learn = measure(&subject, seconds, learn_one);
        json_array_append_new(json_object_get(benchmark->result, "engine"),
                              json_pack("{s:I, s:I, s:f, s:f, s:f, s:I, s:I}", "buffer_size", (json_int_t)buffer_size,
                                        "axes", (json_int_t)axes, "detect_us", detect, "learn_us", learn,
                                        "detects_per_s", detect > 0 ? 1e6 / detect : 0, "knowledge_bytes",
                                        (json_int_t)habit_knowledge_size(&config), "cache_bytes",
                                        (json_int_t)habit_cache_size(&config)));
    }
    free(subject.samples);
    detector_deinit(&subject.detector);
    return r;
}

int benchmark_engine(struct benchmark *benchmark)
{
    int r = 0;

    json_object_set_new(benchmark->result, "engine", json_array());
    for (size_t i = 0; i < SIZES && r == 0; i++) {
        r = measure_size(benchmark, sizes[i].buffer_size, sizes[i].axes);
        progress_step(&benchmark->progress, ++benchmark->step);
    }
    return r;
}
