/* Any sequence of calls with any samples: an error leaves the knowledge and the results as they were, detect never changes
 * the knowledge, no number is none, and what an engine wrote is a block that an engine takes. */
#include <string.h>

#include "fuzz.h"
#include "knowledge.h"

enum { MOST_CALLS = 100, PATTERN = 0x5a };

struct session {
    struct fuzz_machine machine;
    struct fuzz_input input;
    struct habit_window window;
    struct habit_result last; /* of detect */
    bool detected;
    uint8_t *saved; /* a sealed block */
};

static const struct session nothing;

/* ------------------------------------------------------------------------------------------------- before and after */

static void before(struct session *s, void *result, size_t size)
{
    fuzz_spoil_scratch(&s->machine);
    memcpy(s->machine.knowledge, s->machine.memory.knowledge, s->machine.memory.knowledge_size);
    memset(result, PATTERN, size);
}

static bool same(const void *a, const void *b, size_t size)
{
    return memcmp(a, b, size) == 0;
}

static bool untouched(const void *result, size_t size)
{
    const uint8_t *bytes = result;

    for (size_t i = 0; i < size; i++)
        if (bytes[i] != PATTERN)
            return false;
    return true;
}

static bool same_knowledge(const struct session *s)
{
    return same(s->machine.knowledge, s->machine.memory.knowledge, s->machine.memory.knowledge_size);
}

/* What an engine writes passes its own check, which knows no NaN and no infinity. Without the CRC: that takes long. */
static void check_knowledge(struct session *s)
{
    struct habit_layout layout;

    CLAIM(habit_layout_make(&layout, &s->machine.config));
    CLAIM(habit_body_valid(s->machine.memory.knowledge, &layout));
}

/* After a call that may change knowledge and write a result. */
static void after(struct session *s, int status, const void *result, size_t size)
{
    if (status != HABIT_OK) {
        CLAIM(same_knowledge(s));
        CLAIM(untouched(result, size));
        return;
    }
    check_knowledge(s);
}

/* ------------------------------------------------------------------------------------------------------------ calls */

static size_t count_of(struct session *s)
{
    const uint8_t choice = fuzz_byte(&s->input);

    return choice < 250 ? s->machine.count : (choice == 250 ? 0 : s->machine.count - 1 + 2 * (choice % 2));
}

static void fill_integers(struct session *s)
{
    uint32_t bits = fuzz_word(&s->input);
    const int shift = fuzz_byte(&s->input) % 16;

    for (size_t i = 0; i < s->machine.count; i++) {
        bits = bits * 1664525u + 1013904223u;
        s->machine.integers[i] = (int16_t)((int16_t)(bits >> 16) >> shift);
    }
}

static void call_learn(struct session *s)
{
    const size_t count = count_of(s);
    struct habit_progress progress;
    int status;

    fuzz_samples(&s->machine, &s->input, s->machine.samples);
    before(s, &progress, sizeof(progress));
    status = habit_learn(&s->machine.engine, s->machine.samples, count, &progress);
    CLAIM(status != HABIT_ENOTREADY && (count == s->machine.count || status != HABIT_OK));
    after(s, status, &progress, sizeof(progress));
    if (status == HABIT_OK)
        fuzz_check_progress(&progress);
}

static void call_learn_i16(struct session *s)
{
    struct habit_progress progress;
    int status;

    fill_integers(s);
    before(s, &progress, sizeof(progress));
    status = habit_learn_i16(&s->machine.engine, s->machine.integers, s->machine.count, &progress);
    after(s, status, &progress, sizeof(progress));
    if (status == HABIT_OK)
        fuzz_check_progress(&progress);
}

/* Thirty buffers of noise: what needs many calls should not need a long input. */
static void call_learn_many(struct session *s)
{
    const uint8_t gain = fuzz_byte(&s->input);
    const uint8_t recipe[3] = { 0, (uint8_t)(gain % 16), 0 };

    s->machine.dice = fuzz_word(&s->input);
    for (int i = 0; i < 30; i++) {
        struct fuzz_input input = { recipe, sizeof(recipe) };

        fuzz_samples(&s->machine, &input, s->machine.samples);
        fuzz_spoil_scratch(&s->machine);
        if (habit_learn(&s->machine.engine, s->machine.samples, s->machine.count, NULL) != HABIT_OK)
            return;
    }
    check_knowledge(s);
}

static void keep_result(struct session *s, int status, const struct habit_result *result)
{
    CLAIM(same_knowledge(s));
    if (status != HABIT_OK) {
        CLAIM(untouched(result, sizeof(*result)));
        return;
    }
    fuzz_check_result(&s->machine, result);
    s->last = *result;
    s->detected = true;
}

static void call_detect(struct session *s)
{
    const size_t count = count_of(s);
    struct habit_result result, again;
    int status;

    fuzz_samples(&s->machine, &s->input, s->machine.samples);
    before(s, &result, sizeof(result));
    status = habit_detect(&s->machine.engine, s->machine.samples, count, &result);
    keep_result(s, status, &result);
    before(s, &again, sizeof(again));
    CLAIM(habit_detect(&s->machine.engine, s->machine.samples, count, &again) == status);
    CLAIM(same(&result, &again, sizeof(result)));
}

static void call_detect_i16(struct session *s)
{
    struct habit_result result;

    fill_integers(s);
    before(s, &result, sizeof(result));
    keep_result(s, habit_detect_i16(&s->machine.engine, s->machine.integers, s->machine.count, &result), &result);
}

static void call_accept(struct session *s)
{
    const size_t n = fuzz_byte(&s->input) % 3;
    uint8_t none[1];
    int status;

    fuzz_samples(&s->machine, &s->input, s->machine.samples);
    fuzz_samples(&s->machine, &s->input, s->machine.samples + s->machine.count);
    before(s, none, sizeof(none));
    status = habit_accept(&s->machine.engine, s->machine.samples, n);
    CLAIM(n > 0 || status != HABIT_OK);
    after(s, status, none, sizeof(none));
}

static void call_sensitivity(struct session *s)
{
    const uint32_t bits = fuzz_word(&s->input);
    float sensitivity;
    uint8_t none[1];
    int status;

    memcpy(&sensitivity, &bits, sizeof(sensitivity));
    if (fuzz_byte(&s->input) % 2 == 0)
        sensitivity = (float)(bits % 1100) * 0.1f;
    before(s, none, sizeof(none));
    status = habit_set_sensitivity(&s->machine.engine, sensitivity);
    after(s, status, none, sizeof(none));
    CLAIM(status != HABIT_OK || habit_get_sensitivity(&s->machine.engine) == sensitivity);
}

static void call_status(struct session *s)
{
    struct habit_progress progress;
    int status;

    before(s, &progress, sizeof(progress));
    status = habit_status(&s->machine.engine, &progress);
    CLAIM(same_knowledge(s));
    if (status == HABIT_OK)
        fuzz_check_progress(&progress);
    else
        CLAIM(untouched(&progress, sizeof(progress)));
}

static void call_drift(struct session *s)
{
    float drift;
    int status;

    before(s, &drift, sizeof(drift));
    status = habit_drift(&s->machine.engine, &drift);
    CLAIM(same_knowledge(s));
    CLAIM(status == HABIT_OK ? drift >= 0.0f && drift <= 1e9f : untouched(&drift, sizeof(drift)));
}

static void call_window(struct session *s)
{
    struct habit_average average;
    int status;

    if (s->detected)
        CLAIM(habit_window_add(&s->window, &s->last) == HABIT_OK);
    CLAIM(habit_window_valid(&s->window));
    before(s, &average, sizeof(average));
    status = habit_window_result(&s->machine.engine, &s->window, &average);
    CLAIM(same_knowledge(s));
    if (status == HABIT_OK)
        fuzz_check_average(&s->machine, &average);
    else
        CLAIM(untouched(&average, sizeof(average)));
}

/* A window may have been kept as bytes, and be of any. */
static void call_window_bytes(struct session *s)
{
    struct habit_window window = s->window;
    struct habit_average average;
    const size_t at = fuzz_byte(&s->input) % sizeof(window);
    int status;

    ((uint8_t *)&window)[at] = fuzz_byte(&s->input);
    before(s, &average, sizeof(average));
    status = habit_window_result(&s->machine.engine, &window, &average);
    CLAIM(habit_window_valid(&window) || status != HABIT_OK);
    if (status == HABIT_OK)
        fuzz_check_average(&s->machine, &average);
    if (s->detected)
        (void)habit_window_add(&window, &s->last);
}

static void call_window_init(struct session *s)
{
    const unsigned int size = fuzz_byte(&s->input);
    const int status = habit_window_init(&s->window, size);

    CLAIM((status == HABIT_OK) == (size >= 1 && size <= HABIT_MAX_WINDOW));
}

static void call_save(struct session *s)
{
    if (habit_seal(&s->machine.engine) != HABIT_OK)
        return;
    memcpy(s->saved, s->machine.memory.knowledge, s->machine.memory.knowledge_size);
    CLAIM(habit_check(s->saved, s->machine.memory.knowledge_size, NULL) == HABIT_OK);
}

/* The saved block, whole or damaged, by load or behind the engine's back. */
static void call_restore(struct session *s)
{
    const size_t size = s->machine.memory.knowledge_size;
    const uint8_t flip = fuzz_byte(&s->input), how = fuzz_byte(&s->input);
    const size_t at = fuzz_word(&s->input) % size;
    uint8_t none[1];

    before(s, none, sizeof(none));
    memcpy(s->machine.block, s->saved, size);
    s->machine.block[at] ^= flip;
    if (how % 2 == 0) {
        const int status = habit_load(&s->machine.engine, s->machine.block, size - how / 128);

        CLAIM((status == HABIT_OK) == (flip == 0 && how < 128));
        after(s, status, none, sizeof(none));
        return;
    }
    memcpy(s->machine.memory.knowledge, s->machine.block, size);
    if (how % 4 == 1 && habit_attach(&s->machine.engine) != HABIT_OK) {
        struct habit_progress progress;

        CLAIM(flip != 0);
        CLAIM(habit_status(&s->machine.engine, &progress) != HABIT_OK);
    } else if (flip == 0) {
        check_knowledge(s);
    }
    if (flip != 0) /* else a flip that only the stamp would show could stay */
        CLAIM(habit_load(&s->machine.engine, s->saved, size) == HABIT_OK);
}

static void call_use_scratch(struct session *s)
{
    const uint8_t how = fuzz_byte(&s->input);
    struct habit_memory *memory = &s->machine.memory;

    if (how % 4 == 0)
        CLAIM(habit_use_scratch(&s->machine.engine, memory->scratch, memory->scratch_size) == HABIT_OK);
    else if (how % 4 == 1)
        CLAIM(habit_use_scratch(&s->machine.engine, memory->scratch, memory->scratch_size - 4) == HABIT_EMEMORY);
    else
        CLAIM(habit_use_scratch(&s->machine.engine, (char *)memory->scratch + how % 4 - 1, memory->scratch_size) ==
              HABIT_EMEMORY);
}

static void call_init(struct session *s)
{
    CLAIM(habit_init(&s->machine.engine, &s->machine.config, &s->machine.memory) == HABIT_OK);
    check_knowledge(s);
}

static void (*const calls[])(struct session *) = {
    call_learn,       call_learn,  call_learn,   call_learn_i16,   call_learn_many, call_detect, call_detect,
    call_detect_i16,  call_accept, call_window,  call_sensitivity, call_status,     call_drift,  call_window_bytes,
    call_window_init, call_save,   call_restore, call_use_scratch, call_init,
};

/* --------------------------------------------------------------------------------------------------------- geometry */

static bool read_config(struct fuzz_input *input, struct habit_config *config)
{
    static const uint16_t sizes[] = { 1, 2, 3, 4, 7, 8, 9, 15, 16, 17, 32, 33, 64, 100, 128, 256, 1000 };
    static const float rates[] = { 0.0f, 1.0f, 1000.0f, 1e15f, 1e-15f }, scales[] = { 1.0f, 0.00123f, 1e-15f, 1e15f };
    const struct habit_config standard = HABIT_CONFIG_DEFAULT;

    *config = standard;
    config->buffer_size = sizes[fuzz_byte(input) % (sizeof(sizes) / sizeof(sizes[0]))];
    config->axes = (uint8_t)(1 + fuzz_byte(input) % HABIT_MAX_AXES);
    config->profile = fuzz_byte(input) % HABIT_PROFILES;
    config->sampling_hz = rates[fuzz_byte(input) % 5];
    config->scale = scales[fuzz_byte(input) % 4];
    config->unit[0] = 'g';
    return (unsigned int)config->buffer_size * config->axes <= 1024; /* larger ones are slow, and no different */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t saved[65536];
    struct session s = nothing;
    struct habit_config config;

    s.input.at = data;
    s.input.left = size;
    if (!read_config(&s.input, &config))
        return 0;
    fuzz_machine_init(&s.machine, &config);
    CLAIM(s.machine.memory.knowledge_size <= sizeof(saved));
    s.saved = saved;
    CLAIM(habit_window_init(&s.window, 3) == HABIT_OK);
    call_save(&s);
    for (int i = 0; i < MOST_CALLS && s.input.left > 0; i++)
        calls[fuzz_byte(&s.input) % (sizeof(calls) / sizeof(calls[0]))](&s);
    fuzz_machine_deinit(&s.machine);
    return 0;
}
