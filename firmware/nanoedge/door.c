#include "door.h"

#include <assert.h>
#include <string.h>

enum { VALUES = BUFFER_SIZE * NB_AXES };

static_assert(sizeof(NEAI_UNIT) <= HABIT_UNIT_SIZE + 1, "NEAI_UNIT may have 12 characters");

/* A section of its own, exactly as large as the block, that takes no room in flash and is not cleared at the start: a linker
 * script that knows nothing of it puts it behind .bss. The at sign begins a comment of the assembler: it cuts off the type
 * that the compiler writes behind the name, by which the section would be filled with zeros in flash. */
#if defined(__arm__) && defined(__ELF__) && defined(__GNUC__) && !defined(__clang__)
#define NEAI_SECTION __attribute__((section(".neai,\"aw\",%nobits@")))
#elif defined(__ELF__) && defined(__GNUC__)
#define NEAI_SECTION __attribute__((section(".neai")))
#else
#define NEAI_SECTION
#endif

static uint32_t block[HABIT_NEAI_SIZE / 4] NEAI_SECTION;
static uint32_t cache[HABIT_CACHE_SIZE(BUFFER_SIZE, NB_AXES, NEAI_PROFILE) / 4];
static uint32_t scratch[HABIT_SCRATCH_SIZE(BUFFER_SIZE, NB_AXES, NEAI_PROFILE) / 4];
static struct habit_engine engine; /* ready once `opened` */
static bool opened;

/* What the last call found; too large for the stacks that projects give. */
static struct {
    enum habit_neai_cause cause;
    int status;
    struct habit_result result;
} last;

extern const char HABIT_NEAI_BUILD; /* the program's header refers to it */
__attribute__((used)) const char HABIT_NEAI_BUILD = 0;

static const struct habit_config config = { .buffer_size = BUFFER_SIZE,
                                            .axes = NB_AXES,
                                            .profile = NEAI_PROFILE,
                                            .sampling_hz = NEAI_SAMPLING_HZ,
                                            .scale = NEAI_SCALE,
                                            .unit = NEAI_UNIT };
static const struct habit_memory memory = { .knowledge = block,
                                            .knowledge_size = sizeof(block),
                                            .cache = cache,
                                            .cache_size = sizeof(cache),
                                            .scratch = scratch,
                                            .scratch_size = sizeof(scratch) };

static enum habit_neai_cause cause_of(int status)
{
    switch (status) {
    case HABIT_OK:
        return HABIT_NEAI_DONE;
    case HABIT_ENOTREADY:
        return HABIT_NEAI_LEARNING;
    case HABIT_ENULL:
    case HABIT_EVALUE:
    case HABIT_ECONSTANT:
    case HABIT_ERANGE:
        return HABIT_NEAI_INPUT;
    default:
        return HABIT_NEAI_KNOWLEDGE;
    }
}

enum habit_neai_cause habit_neai_because(enum habit_neai_cause cause)
{
    last.cause = cause;
    last.status = HABIT_OK;
    return cause;
}

static enum habit_neai_cause note(int status)
{
    last.cause = cause_of(status);
    last.status = status;
    return last.cause;
}

enum habit_neai_cause habit_neai_cause(int *status)
{
    if (status)
        *status = last.status;
    return last.cause;
}

const struct habit_result *habit_neai_result(void)
{
    return &last.result;
}

/* Whether there is an engine: initialised, or on knowledge that was restored into .neai, or survived there, before anybody
 * called initialize. */
static enum habit_neai_cause enter(void)
{
    if (!habit_neai_authorised())
        return habit_neai_because(HABIT_NEAI_BOARD);
    if (!opened)
        opened = habit_open(&engine, &config, &memory) == HABIT_OK;
    return habit_neai_because(opened ? HABIT_NEAI_DONE : HABIT_NEAI_UNINITIALISED);
}

/* What changed must be good to copy at once: the program reads the section whenever it likes. */
static enum habit_neai_cause sealed(int result)
{
    if (result == HABIT_OK)
        result = habit_seal(&engine);
    return note(result);
}

enum habit_neai_cause habit_neai_start(void)
{
    int result;

    if (!habit_neai_authorised())
        return habit_neai_because(HABIT_NEAI_BOARD);
    result = habit_init(&engine, &config, &memory);
    opened = result == HABIT_OK;
    return sealed(result);
}

enum habit_neai_cause habit_neai_learn(const float *samples, bool *minimum)
{
    struct habit_progress progress;
    const enum habit_neai_cause cause = enter();
    int result;

    if (cause != HABIT_NEAI_DONE)
        return cause;
    result = habit_learn(&engine, samples, VALUES, &progress);
    if (result == HABIT_OK)
        *minimum = progress.needed == 0 && progress.learned >= MINIMUM_ITERATION_CALLS_FOR_EFFICIENT_LEARNING;
    return sealed(result);
}

enum habit_neai_cause habit_neai_detect(const float *samples, uint8_t *similarity)
{
    const enum habit_neai_cause cause = enter();

    if (!similarity)
        return habit_neai_because(HABIT_NEAI_INPUT);
    *similarity = 0;
    if (cause != HABIT_NEAI_DONE)
        return cause;
    note(habit_detect(&engine, samples, VALUES, &last.result));
    if (last.cause == HABIT_NEAI_DONE)
        *similarity = last.result.similarity;
    return last.cause;
}

enum habit_neai_cause habit_neai_set_sensitivity(float sensitivity)
{
    const enum habit_neai_cause cause = enter();

    return cause == HABIT_NEAI_DONE ? sealed(habit_set_sensitivity(&engine, sensitivity)) : cause;
}

float habit_neai_get_sensitivity(void)
{
    /* Sealing looks whether somebody put other bytes into .neai. */
    return enter() == HABIT_NEAI_DONE && sealed(HABIT_OK) == HABIT_NEAI_DONE ? habit_get_sensitivity(&engine) : 1.0f;
}

struct habit_engine *habit_neai_engine(void)
{
    return enter() == HABIT_NEAI_DONE ? &engine : NULL;
}

/* Sealed once more: the program may have learned through habit_neai_engine(). */
size_t habit_neai_dump(void *bytes, size_t size)
{
    if (enter() != HABIT_NEAI_DONE || sealed(HABIT_OK) != HABIT_NEAI_DONE)
        return 0;
    if (!bytes || size < sizeof(block)) {
        (void)habit_neai_because(HABIT_NEAI_INPUT);
        return 0;
    }
    memcpy(bytes, block, sizeof(block));
    return sizeof(block);
}

enum habit_neai_cause habit_neai_load(const void *bytes, size_t size)
{
    int result = HABIT_OK;

    if (enter() == HABIT_NEAI_BOARD)
        return HABIT_NEAI_BOARD;
    if (bytes && size < sizeof(block))
        return note(HABIT_EBLOCK);
    if (!opened)
        result = habit_init(&engine, &config, &memory);
    if (result == HABIT_OK)
        result = habit_load(&engine, bytes, sizeof(block));
    opened = opened || result == HABIT_OK;
    return note(result);
}
