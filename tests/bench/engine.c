/* How long the engine takes, and how much memory, beside what FFTW needs for the transforms alone. */
#define _POSIX_C_SOURCE 199309L
#include <fftw3.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "habit/engine.h"

enum { SAMPLES = 256, AXES = 3, LEARNED = 200, BUFFERS = 64, ROUNDS = 100, CALLS = 200 };

static float buffers[BUFFERS][SAMPLES * AXES];

static void fill(void)
{
    uint32_t state = 1;

    for (int b = 0; b < BUFFERS; b++)
        for (int i = 0; i < SAMPLES * AXES; i++) {
            state = state * 1664525u + 1013904223u;
            buffers[b][i] = (float)(int32_t)state * (1.0f / 2147483648.0f);
        }
}

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec * 1e-3;
}

struct subject {
    struct habit_engine engine;
    fftwf_plan plan;
    float *in;
    fftwf_complex *out;
};

static void run_detect(struct subject *s, int call)
{
    struct habit_result result;

    if (habit_detect(&s->engine, buffers[call % BUFFERS], SAMPLES * AXES, &result) != HABIT_OK)
        abort();
}

static void run_learn(struct subject *s, int call)
{
    if (habit_learn(&s->engine, buffers[call % BUFFERS], SAMPLES * AXES, NULL) != HABIT_OK)
        abort();
}

static void run_fftw(struct subject *s, int call)
{
    for (int axis = 0; axis < AXES; axis++) {
        for (int i = 0; i < SAMPLES; i++)
            s->in[i] = buffers[call % BUFFERS][i * AXES + axis];
        fftwf_execute(s->plan);
    }
}

enum { FFTW, DETECT, LEARN, SUBJECTS };

static void (*const run[SUBJECTS])(struct subject *,
                                   int) = { [FFTW] = run_fftw, [DETECT] = run_detect, [LEARN] = run_learn };

/* Best of many rounds, by turns: other work on the machine only ever adds, and to whatever runs just then. */
static void measure(struct subject *s, double best[SUBJECTS])
{
    for (int i = 0; i < ROUNDS * SUBJECTS; i++) {
        const double start = now();
        double each;

        for (int call = 0; call < CALLS; call++)
            run[i % SUBJECTS](s, call);
        each = (now() - start) / CALLS;
        if (i < SUBJECTS || each < best[i % SUBJECTS])
            best[i % SUBJECTS] = each;
    }
}

int main(void)
{
    struct habit_config config = HABIT_CONFIG_DEFAULT;
    struct habit_memory memory;
    struct subject s;
    double best[SUBJECTS];

    fill();
    config.buffer_size = SAMPLES;
    config.axes = AXES;
    memory.knowledge = malloc(memory.knowledge_size = habit_knowledge_size(&config));
    memory.cache = malloc(memory.cache_size = habit_cache_size(&config));
    memory.scratch = malloc(memory.scratch_size = habit_scratch_size(&config));
    if (habit_init(&s.engine, &config, &memory) != HABIT_OK)
        return EXIT_FAILURE;
    for (int i = 0; i < LEARNED; i++)
        run_learn(&s, i);
    s.in = fftwf_alloc_real(SAMPLES);
    s.out = fftwf_alloc_complex(SAMPLES / 2 + 1);
    s.plan = fftwf_plan_dft_r2c_1d(SAMPLES, s.in, s.out, FFTW_ESTIMATE);

    measure(&s, best);
    printf("%d x %d: detect %.2f us, learn %.2f us, FFTW's transforms alone %.2f us, ratio %.1f\n", AXES, SAMPLES,
           best[DETECT], best[LEARN], best[FFTW], best[DETECT] / best[FFTW]);
    printf("bytes: knowledge %zu, cache %zu, scratch %zu, engine %zu\n", memory.knowledge_size, memory.cache_size,
           memory.scratch_size, sizeof(s.engine));
    fftwf_destroy_plan(s.plan);
    fftwf_free(s.in);
    fftwf_free(s.out);
    free(memory.knowledge);
    free(memory.cache);
    free(memory.scratch);
    return EXIT_SUCCESS;
}
