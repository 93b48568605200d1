/* An operator says that what raised an anomaly was normal. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "registry/internal.h"

static int refuse_missing(int64_t id, struct refusal *refusal)
{
    return refuse(refusal, REFUSAL_NOT_FOUND, "", "there is no anomaly %" PRId64, id);
}

static int read_anomaly(struct registry *registry, int64_t id, struct anomaly *anomaly, struct refusal *refusal)
{
    const struct anomaly_query query = { .id = id, .limit = 1 };
    int r = id > 0 ? store_anomalies(registry->store, &query, anomaly) : 0;

    return r < 0 ? refuse_fault(refusal, r) : r == 0 ? refuse_missing(id, refusal) : 0;
}

static int check(const struct machine *machine, const struct anomaly *anomaly, const struct kept *kept,
                 struct refusal *refusal)
{
    if (anomaly->event == ANOMALY_ACCEPTED)
        return refuse(refusal, REFUSAL_STATE, "",
                      "anomaly %" PRId64 " was accepted before: restore snapshot %" PRId64 " of %s takes that back",
                      anomaly->id, anomaly->undo, anomaly->machine);
    if (machine->conflict)
        return refuse(refusal, REFUSAL_GEOMETRY, "settings", "settings and knowledge of %s differ: initialize first",
                      machine->id);
    if (kept->count == 0 && kept->others > 0)
        return refuse(refusal, REFUSAL_GEOMETRY, "",
                      "the buffers of anomaly %" PRId64 " are of another geometry than %s has now", anomaly->id,
                      machine->id);
    if (kept->count == 0 && machine->settings.store_buffers != BUFFERS_RAW)
        return refuse(
            refusal, REFUSAL_STATE, "store_buffers",
            "no samples of %s are stored, so there is nothing to accept: POST .../learn teaches some of that state",
            machine->id);
    if (kept->count == 0)
        return refuse(refusal, REFUSAL_STATE, "",
                      "no buffers of anomaly %" PRId64
                      " are stored any more: POST .../learn teaches some of that state",
                      anomaly->id);
    return 0;
}

/* How the accepted buffers look to the engine as it is now. */
static void judge_kept(struct machine *machine, const struct kept *kept, struct accepted *accepted)
{
    struct habit_average average;
    struct habit_window window;
    struct habit_result result;
    size_t k = kept->count < machine->settings.window ? kept->count : machine->settings.window;

    accepted->similarity = 100;
    habit_window_init(&window, (unsigned int)k);
    for (size_t i = 0; i < kept->count; i++) {
        if (habit_detect(&machine->engine, kept->samples + i * kept->values, kept->values, &result) != HABIT_OK)
            continue;
        accepted->strange += result.similarity < machine->settings.threshold;
        if (result.similarity < accepted->similarity)
            accepted->similarity = result.similarity;
        habit_window_add(&window, &result);
    }
    accepted->still_strange =
        2 * accepted->strange > kept->count || (habit_window_result(&machine->engine, &window, &average) == HABIT_OK &&
                                                average.similarity < machine->settings.threshold);
}

static int log_event(struct registry *registry, struct machine *machine, const struct anomaly *anomaly, int64_t at,
                     struct episode_log *log)
{
    if (machine->state.anomaly != anomaly->id)
        return episode_accept_cleared(anomaly, at, log);
    return episode_event(machine, registry->store, ANOMALY_ACCEPTED, NULL, NULL, at, log);
}

/* Teaches, and leaves the machine. */
static int accept_entered(struct registry *registry, struct machine *machine, const struct anomaly *anomaly,
                          const struct kept *kept, struct moment now, struct accepted *accepted,
                          struct refusal *refusal)
{
    const struct replacement replacement = { .reason = SNAPSHOT_ACCEPT };
    struct episode_log log = { 0 };
    int status = habit_accept(&machine->engine, kept->samples, kept->count), r;

    if (status != HABIT_OK) {
        machine_leave(machine);
        return refuse(refusal, REFUSAL_STATE, "", "the stored buffers cannot be accepted: %s", habit_text(status));
    }
    accepted->buffers = (uint32_t)kept->count;
    judge_kept(machine, kept, accepted);
    machine_clear_window(machine);
    r = log_event(registry, machine, anomaly, now.wall, &log);
    return machine_commit_replaced(registry, machine, r, &replacement, now.wall, &log, refusal);
}

int registry_accept(struct registry *registry, int64_t id, struct moment now, struct accepted *accepted,
                    struct refusal *refusal)
{
    struct anomaly anomaly = { 0 };
    struct kept kept = { 0 };
    struct machine *machine;
    int r = read_anomaly(registry, id, &anomaly, refusal);

    *accepted = (struct accepted){ 0 };
    if (r == 0)
        r = machine_enter(registry, anomaly.machine, &machine, refusal);
    if (r != 0) {
        free(anomaly.explanation);
        return r;
    }
    free(anomaly.explanation);
    anomaly.explanation = NULL;
    r = machine->unsettled > 0 ? machine_await_changes(registry, machine) : 0; /* another may have been faster */
    r = r < 0 ? refuse_store(r, refusal) : read_anomaly(registry, id, &anomaly, refusal);
    if (r == 0)
        r = kept_read(registry, KEPT_EVIDENCE, id, &machine->engine.config, &kept);
    if (r == 0)
        r = check(machine, &anomaly, &kept, refusal);
    if (r == 0)
        r = accept_entered(registry, machine, &anomaly, &kept, now, accepted, refusal);
    else
        machine_leave(machine);
    kept_free(&kept);
    free(anomaly.explanation);
    return r < 0 ? refuse_fault(refusal, r) : r;
}

int registry_evidence(struct registry *registry, int64_t id, float **samples, size_t *count, struct refusal *refusal)
{
    struct anomaly anomaly = { 0 };
    struct habit_config config;
    struct kept kept = { 0 };
    struct machine *machine;
    int r = read_anomaly(registry, id, &anomaly, refusal);

    if (r == 0)
        r = machine_enter(registry, anomaly.machine, &machine, refusal);
    free(anomaly.explanation);
    if (r != 0)
        return r;
    config = machine->engine.config;
    machine_leave(machine);
    r = kept_read(registry, KEPT_EVIDENCE, id, &config, &kept);
    if (r < 0)
        return refuse_fault(refusal, r);
    if (kept.count == 0) {
        kept_free(&kept);
        return refuse(refusal, REFUSAL_NOT_FOUND, "", "no buffers of anomaly %" PRId64 " are stored%s", id,
                      kept.others > 0 ? " that the machine's geometry fits" : "");
    }
    *samples = kept.samples;
    *count = kept.count * kept.values;
    kept.samples = NULL;
    kept_free(&kept);
    return 0;
}
