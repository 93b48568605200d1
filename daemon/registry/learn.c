/* Learning one buffer: by hand, by the machine's phase, or by a rule. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "registry/work.h"

/* What a buffer can be refused for; anything else means that this machine's memory is not what it was. */
int work_refuse_engine(struct work *work, int status, size_t index)
{
    if (status == HABIT_ECONSTANT)
        return refuse(work->refusal, REFUSAL_CONSTANT, "data", "buffer %zu: %s", index, habit_text(status));
    if (status == HABIT_EVALUE)
        return refuse(work->refusal, REFUSAL_NOT_FINITE, "data", "buffer %zu: %s", index, habit_text(status));
    work->machine->epoch = 0; /* load anew what the store holds */
    return refuse(work->refusal, REFUSAL_BROKEN, "", "the knowledge in memory does not hold: %s; it is loaded anew",
                  habit_text(status));
}

static int engine_learn(struct work *work, const float *samples, size_t index, struct verdict *verdict)
{
    struct machine *machine = work->machine;
    struct habit_progress progress;
    size_t values = (size_t)machine->settings.buffer_size * machine->settings.axes;
    int64_t began = clock_ticks();
    int status = habit_learn(&machine->engine, samples, values, &progress);

    histogram_observe(&work->registry->learn_duration, &histogram_microseconds, clock_ticks() - began);
    if (status != HABIT_OK)
        return work_refuse_engine(work, status, index);
    machine_learning(machine, &progress, &verdict->learning);
    work->clipped = progress.clipped != 0;
    return 0;
}

/* ------------------------------------------------------------------------------------------------------- drift budget */

static int refuse_drift(struct work *work, size_t index, float drift)
{
    return refuse(
        work->refusal, REFUSAL_DRIFT, "data",
        "buffer %zu would move what is normal by %.2g standard deviations since commissioning, drift_budget is "
        "%.2g: commission the machine anew, or raise drift_budget",
        index, (double)drift, (double)work->machine->settings.drift_budget);
}

/* budget: what this buffer may add to the drift; also where others drifted the other way nothing is gained. */
static int learn_within(struct work *work, const float *samples, size_t index, float budget, struct verdict *verdict,
                        float *moved)
{
    struct habit_engine *engine = &work->machine->engine;
    size_t size = work->machine->memory.knowledge_size;
    float before = 0, after = 0;
    void *copy = malloc(size);
    int r;

    if (!copy)
        return fault(-ENOMEM);
    habit_drift(engine, &before);
    habit_seal(engine);
    memcpy(copy, work->machine->memory.knowledge, size);
    r = engine_learn(work, samples, index, verdict);
    if (r == 0)
        habit_drift(engine, &after);
    *moved = after - before;
    if (r == 0 && *moved > 0 && *moved > budget) {
        r = refuse_drift(work, index, after);
        if (habit_load(engine, copy, size) != HABIT_OK)
            r = work_refuse_engine(work, HABIT_EBLOCK, index);
    }
    free(copy);
    return r;
}

/* ------------------------------------------------------------------------------------------------------------ learning */

static void say_watched(struct machine *machine)
{
    const struct alarm_plan *plan = machine_plan(machine);
    char text[PROMISE_TEXT_SIZE];

    strategy_promise(plan, machine->planned.learned, text);
    log_notice("machine %s is watched from now on: %s", machine->id, text);
}

/* Before a watched machine learns more, what it knows is kept; of many buffers in a row once. */
static void keep_before(struct work *work)
{
    enum { APART_MS = 3600000 };
    struct machine *machine = work->machine;

    if (machine->enriched == 0 || work->now < machine->enriched || work->now - machine->enriched >= APART_MS) {
        machine->enriched = work->now;
        work->snapshot = SNAPSHOT_ENRICH;
    }
}

int work_learn(struct work *work, const float *samples, size_t index, float budget, struct verdict *verdict,
               float *moved)
{
    struct machine *machine = work->machine;
    bool bound = machine->state.phase == PHASE_WATCHING;
    uint32_t in_phase = machine->state.phase_learned + 1;
    int r = bound ? learn_within(work, samples, index, budget, verdict, moved)
                  : engine_learn(work, samples, index, verdict);

    if (r != 0)
        return r;
    strategy_learned(&machine->settings, &machine->state, &verdict->learning, work->steady);
    if (bound)
        keep_before(work);
    if (!bound && machine->state.phase == PHASE_WATCHING) {
        machine_clear_window(machine); /* its scores are of the knowledge before */
        say_watched(machine);
        if (in_phase == verdict->learning.learned) /* nothing was known before this phase */
            work->snapshot_after = SNAPSHOT_READY;
    }
    commissioning_add(&work->commissioning, machine, samples, work->at);
    work_effect(work)->learned++;
    work->learned++;
    verdict->status = VERDICT_LEARNED;
    return 0;
}

void work_forget(struct work *work)
{
    struct machine *machine = work->machine;
    struct habit_memory memory = machine->memory;
    struct habit_config config = machine->engine.config;

    memory.scratch = machine->engine.memory.scratch;
    habit_init(&machine->engine, &config, &memory);
    habit_set_sensitivity(&machine->engine, machine->settings.sensitivity);
    habit_window_init(&machine->window, machine->settings.window);
    recent_forget(machine);
    strategy_learn_anew(&machine->state, work->steady);
    commissioning_free(&work->commissioning);
    machine->commissioning_count = 0;
    machine->commissioning_bytes = 0;
    work->forget = true;
}
