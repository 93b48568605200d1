/* Golden vectors: what the engine makes of machines whose samples are the same everywhere. It prints a CRC32C for each
 * kind of answer of each case; the lines are in expected.txt, and every platform must print the same (platforms.py).
 *
 * Freestanding: no heap, no libm, no stdio; text goes out through board_put(). Memory is one array. A case that does not fit,
 * or takes too long where floats are emulated on an emulated board, is left out; platforms.py knows from the lines `needs` and
 * `learns` which these must be. */
#include <string.h>

#include "../board/board.h"
#include "cases.h"

#include "habit/engine.h"

#ifndef GOLDEN_MEMORY
#define GOLDEN_MEMORY 262144 /* bytes */
#endif
#ifndef GOLDEN_LEARNED
#define GOLDEN_LEARNED UINT32_MAX /* most buffers that a case may learn */
#endif

/* What is hashed, line by line. */
#define HASHES(X)                             \
    X(RESULTS, "results") /* of every call */ \
    X(PROGRESS, "progress")                   \
    X(DISTANCE, "distance")                   \
    X(P_VALUE, "p-value")                     \
    X(SCORE, "score")                         \
    X(SIMILARITY, "similarity")               \
    X(FLAGS, "flags")                         \
    X(EXPLANATION, "explanation")             \
    X(LEVEL, "level")                         \
    X(AMPLITUDE, "amplitude")                 \
    X(WINDOW, "window")                       \
    X(DRIFT, "drift")                         \
    X(LEARNED, "knowledge, learned")          \
    X(ACCEPTED, "knowledge, accepted")        \
    X(LOADED, "knowledge, loaded and learned on")

enum hash {
#define HASH_ENUM(name, text) HASH_##name,
    HASHES(HASH_ENUM)
#undef HASH_ENUM
        HASH_COUNT
};

static const char *const hash_names[HASH_COUNT] = {
#define HASH_NAME(name, text) text,
    HASHES(HASH_NAME)
#undef HASH_NAME
};

enum { WINDOW = 3, JUDGED = 6, JUDGED_AGAIN = 2, LEARNED_ON = 5 };

struct life {
    const struct golden_case *of;
    struct golden_signal signal;
    struct habit_engine engine;
    struct habit_config config;
    struct habit_memory memory;
    struct habit_window window;
    void *samples; /* room for `accepted` buffers of floats, or a copy of the knowledge */
    size_t count;  /* values in a buffer */
    uint32_t hash[HASH_COUNT];
    uint32_t calls, refused;
};

static unsigned char arena[GOLDEN_MEMORY] __attribute__((aligned(8)));
static struct life life;

/* CRC32C, bit by bit: shares nothing with the engine's. */
static void hash_bytes(enum hash hash, const void *bytes, size_t size)
{
    const unsigned char *byte = bytes;
    uint32_t crc = ~life.hash[hash];

    while (size-- > 0) {
        crc ^= *byte++;
        for (int bit = 0; bit < 8; bit++)
            crc = crc & 1 ? crc >> 1 ^ 0x82f63b78u : crc >> 1;
    }
    life.hash[hash] = ~crc;
}

static void hash_number(enum hash hash, uint32_t number)
{
    hash_bytes(hash, &number, sizeof(number));
}

static void hash_float(enum hash hash, float x)
{
    hash_bytes(hash, &x, sizeof(x));
}

static void hash_result(int result)
{
    hash_number(HASH_RESULTS, (uint32_t)result);
    life.calls++;
    life.refused += result != HABIT_OK;
}

static void put_number(uint32_t number, uint32_t base, uint32_t least_digits)
{
    char digits[12], *digit = &digits[sizeof(digits) - 1];

    *digit = 0;
    for (uint32_t n = 0; n < least_digits || number > 0; n++, number /= base)
        *--digit = "0123456789abcdef"[number % base];
    board_put(digit);
}

static void put_line(const char *what, uint32_t number, uint32_t base, uint32_t least_digits)
{
    board_put(life.of->name);
    board_put(": ");
    board_put(what);
    board_put(" ");
    put_number(number, base, least_digits);
    board_put("\n");
}

static void hash_progress(const struct habit_progress *progress)
{
    hash_number(HASH_PROGRESS, progress->learned);
    hash_number(HASH_PROGRESS, progress->needed);
    hash_float(HASH_PROGRESS, progress->weight);
    hash_float(HASH_PROGRESS, progress->settled);
    hash_float(HASH_PROGRESS, progress->false_alarms);
    hash_number(HASH_PROGRESS, progress->extrapolated);
    hash_number(HASH_PROGRESS, (uint32_t)progress->missing);
    hash_number(HASH_PROGRESS, progress->states);
    hash_number(HASH_PROGRESS, progress->rare);
}

static void hash_reason(const struct habit_reason *reason)
{
    hash_number(HASH_EXPLANATION, reason->axis);
    hash_number(HASH_EXPLANATION, reason->kind);
    hash_number(HASH_EXPLANATION, reason->in_hz);
    hash_float(HASH_EXPLANATION, reason->from);
    hash_float(HASH_EXPLANATION, reason->to);
    hash_float(HASH_EXPLANATION, reason->sigmas);
}

static void hash_detection(const struct habit_result *result)
{
    hash_float(HASH_DISTANCE, result->distance);
    hash_float(HASH_P_VALUE, result->p_value);
    hash_float(HASH_SCORE, result->score);
    hash_number(HASH_SIMILARITY, result->similarity);
    hash_number(HASH_FLAGS, result->extrapolated);
    hash_number(HASH_FLAGS, result->constant);
    hash_number(HASH_FLAGS, result->clipped);
    hash_number(HASH_EXPLANATION, result->reasons);
    for (uint32_t k = 0; k < result->reasons; k++)
        hash_reason(&result->reason[k]);
    for (uint32_t a = 0; a < life.of->axes; a++) {
        hash_float(HASH_LEVEL, result->level[a]);
        hash_float(HASH_AMPLITUDE, result->amplitude[a]);
    }
}

static void learn(bool fault)
{
    struct habit_progress progress;
    int result;

    if (life.of->integers) {
        golden_signal_integers(&life.signal, fault, life.samples);
        result = habit_learn_i16(&life.engine, life.samples, life.count, &progress);
    } else {
        golden_signal_floats(&life.signal, fault, life.samples);
        result = habit_learn(&life.engine, life.samples, life.count, &progress);
    }
    hash_result(result);
    if (result == HABIT_OK)
        hash_progress(&progress);
}

/* One in sixteen is strange; the first of them comes before the models start. */
static void learn_some(uint32_t buffers)
{
    for (uint32_t i = 0; i < buffers; i++)
        learn(i % 16 == 5);
}

static void add_to_window(const struct habit_result *detection)
{
    struct habit_average average;
    int result;

    hash_result(habit_window_add(&life.window, detection));
    result = habit_window_result(&life.engine, &life.window, &average);
    hash_result(result);
    if (result == HABIT_OK) {
        hash_float(HASH_WINDOW, average.distance);
        hash_number(HASH_WINDOW, average.similarity);
    }
}

static void detect(bool fault)
{
    struct habit_result detection;
    int result;

    if (life.of->integers) {
        golden_signal_integers(&life.signal, fault, life.samples);
        result = habit_detect_i16(&life.engine, life.samples, life.count, &detection);
    } else {
        golden_signal_floats(&life.signal, fault, life.samples);
        result = habit_detect(&life.engine, life.samples, life.count, &detection);
    }
    hash_result(result);
    if (result == HABIT_OK) {
        hash_detection(&detection);
        add_to_window(&detection);
    }
}

/* Pairs of nominal and of strange buffers, so that windows of all mixtures are judged. */
static void detect_some(uint32_t buffers)
{
    for (uint32_t i = 0; i < buffers; i++)
        detect(i % 4 >= 2);
}

static void accept(void)
{
    float *samples = life.samples;

    for (uint32_t i = 0; i < life.of->accepted; i++)
        golden_signal_floats(&life.signal, true, samples + i * life.count);
    hash_result(habit_accept(&life.engine, samples, life.of->accepted));
}

/* Not a number, infinite, too large: told apart without the compiler's help on every processor. */
static void try_bad_values(void)
{
    static const uint32_t bad[] = { 0x7fc00000u, 0xff800000u, 0x7f800001u, 0x58e35fa9u /* 2e15 */ };
    float *samples = life.samples;

    golden_signal_floats(&life.signal, false, samples);
    for (uint32_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        memcpy(&samples[life.count - 1], &bad[i], sizeof(bad[i]));
        hash_result(habit_learn(&life.engine, samples, life.count, NULL));
    }
}

static void read_drift(void)
{
    float drift = 0.0f;

    hash_result(habit_drift(&life.engine, &drift));
    hash_float(HASH_DRIFT, drift);
}

static void keep(enum hash hash)
{
    hash_result(habit_seal(&life.engine));
    hash_bytes(hash, life.memory.knowledge, life.memory.knowledge_size);
}

/* As after a restart: a new engine and the saved block. */
static void save_and_load(void)
{
    memcpy(life.samples, life.memory.knowledge, life.memory.knowledge_size);
    hash_result(habit_init(&life.engine, &life.config, &life.memory));
    hash_result(habit_load(&life.engine, life.samples, life.memory.knowledge_size));
}

static void live(void)
{
    learn_some(life.of->learned);
    keep(HASH_LEARNED);
    detect_some(JUDGED);
    try_bad_values();
    hash_result(habit_set_sensitivity(&life.engine, 1.7f));
    detect_some(JUDGED_AGAIN);
    accept();
    detect(true);
    learn_some(LEARNED_ON);
    read_drift();
    keep(HASH_ACCEPTED);
    save_and_load();
    detect(false);
    detect(true);
    learn(true);
    keep(HASH_LOADED);
}

static void *take(size_t *taken, size_t size)
{
    void *memory = arena + *taken;

    *taken += (size + 7) & ~(size_t)7;
    return memory;
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

/* Bytes of the arena that the case needs; the engine's memory is filled with rubbish where it fits. */
static size_t place(void)
{
    struct habit_memory *memory = &life.memory;
    size_t taken = 0;

    life.config.buffer_size = life.of->samples;
    life.config.axes = life.of->axes;
    life.config.profile = life.of->profile;
    life.config.sampling_hz = life.of->axes == 3 ? 1600.0f : 0.0f;
    life.config.scale = golden_scale(life.of);
    life.count = (size_t)life.of->samples * life.of->axes;
    memory->knowledge = take(&taken, memory->knowledge_size = habit_knowledge_size(&life.config));
    memory->cache = take(&taken, memory->cache_size = habit_cache_size(&life.config));
    memory->scratch = take(&taken, memory->scratch_size = habit_scratch_size(&life.config));
    life.samples = take(&taken, larger(life.count * sizeof(float) * life.of->accepted, memory->knowledge_size));
    return taken;
}

static void run(const struct golden_case *of)
{
    size_t needs;

    memset(&life, 0, sizeof(life));
    life.of = of;
    golden_signal_init(&life.signal, of);
    needs = place();
    if (needs > sizeof(arena) || of->learned > GOLDEN_LEARNED)
        return;
    memset(arena, 0xa5, needs); /* nothing may rely on zeros */
    hash_result(habit_window_init(&life.window, WINDOW));
    hash_result(habit_init(&life.engine, &life.config, &life.memory));
    live();
    put_line("needs", (uint32_t)needs, 10, 1);
    put_line("learns", of->learned, 10, 1);
    put_line("calls", life.calls, 10, 1);
    put_line("refused", life.refused, 10, 1);
    for (uint32_t h = 0; h < HASH_COUNT; h++)
        put_line(hash_names[h], life.hash[h], 16, 8);
}

/* All similarities that a caller can see. */
static void hash_similarities(void)
{
    static const struct golden_case similarity = { .name = "similarity" };

    memset(&life, 0, sizeof(life));
    life.of = &similarity;
    for (uint32_t i = 0; i < 2000; i++)
        hash_number(HASH_SIMILARITY, habit_similarity((float)i * (1.0f / 256.0f), 1.0f + (float)(i % 7) * 0.125f));
    put_line("of distances", life.hash[HASH_SIMILARITY], 16, 8);
}

int main(void)
{
    hash_similarities();
    for (uint32_t i = 0; i < golden_case_count; i++)
        run(&golden_cases[i]);
    return 0;
}
