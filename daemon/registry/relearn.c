/* A better engine, or other settings of its memory, may make more of the buffers that a machine was commissioned with: they are
 * learned anew beside the knowledge in force, judge along without raising anything, and are put in force when somebody says so. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "registry/internal.h"

struct shadow *shadow_free(struct shadow *shadow)
{
    if (!shadow)
        return NULL;
    free(shadow->memory.knowledge);
    free(shadow);
    return NULL;
}

/* The engine works in memory that is borrowed for the call. */
static int lend(struct shadow *shadow)
{
    void *scratch = malloc(shadow->memory.scratch_size);

    if (!scratch)
        return fault(-ENOMEM);
    habit_use_scratch(&shadow->engine, scratch, shadow->memory.scratch_size);
    return 0;
}

static void give_back(struct shadow *shadow)
{
    free(shadow->engine.memory.scratch);
    shadow->engine.memory.scratch = NULL;
}

/* With an engine that has learned nothing and, until the caller gives it back, a scratch. NULL without memory. */
static struct shadow *make(const struct settings *settings, const struct habit_config *config)
{
    struct shadow *shadow = calloc(1, sizeof(*shadow));
    struct habit_memory *memory = shadow ? &shadow->memory : NULL;
    char *bytes = NULL;

    if (shadow) {
        *memory = (struct habit_memory){ .knowledge_size = habit_knowledge_size(config),
                                         .cache_size = habit_cache_size(config),
                                         .scratch_size = habit_scratch_size(config) };
        bytes = calloc(1, memory->knowledge_size + memory->cache_size);
        memory->knowledge = bytes;
        memory->cache = bytes ? bytes + memory->knowledge_size : NULL;
        memory->scratch = malloc(memory->scratch_size);
    }
    if (!shadow || !bytes || !memory->scratch || habit_init(&shadow->engine, config, memory) != HABIT_OK) {
        if (shadow)
            free(memory->scratch);
        return shadow_free(shadow);
    }
    habit_set_sensitivity(&shadow->engine, settings->sensitivity);
    habit_window_init(&shadow->window, settings->window);
    memory->scratch = NULL;
    return shadow;
}

int shadow_restore(struct machine *machine, const struct store_candidate *candidate)
{
    struct habit_info info;
    struct shadow *shadow;
    int status;

    if (candidate->made == 0 || habit_check(candidate->bytes, candidate->size, &info) != HABIT_OK)
        return 0;
    shadow = make(&machine->settings, &info.config);
    if (!shadow)
        return fault(-ENOMEM);
    status = habit_load(&shadow->engine, candidate->bytes, candidate->size);
    give_back(shadow);
    shadow->of = *candidate;
    shadow->of.bytes = NULL;
    machine->shadow = status == HABIT_OK ? shadow : shadow_free(shadow);
    return 0;
}

/* ------------------------------------------------------------------------------------------------------- judging along */

static void count(struct comparison *live, const struct settings *settings, const uint8_t similarity[2],
                  const float distance[2], int64_t at)
{
    bool strange[2] = { similarity[0] < settings->threshold, similarity[1] < settings->threshold };

    if (live->judged == 0)
        live->since = at;
    live->judged++;
    live->both += strange[0] && strange[1];
    for (int i = 0; i < 2; i++) {
        live->strange[i] += strange[i];
        live->log_distance[i] += log((double)distance[i]);
    }
}

static void count_windows(struct comparison *live, const struct settings *settings, const struct average *average,
                          const struct habit_average *other)
{
    live->windows++;
    live->raised[0] += average->similarity < settings->threshold;
    live->raised[1] += other->similarity < settings->threshold;
}

void shadow_judge(struct machine *machine, const float *samples, const struct habit_result *result,
                  const struct average *average, int64_t at)
{
    struct shadow *shadow = machine->shadow;
    size_t values = (size_t)machine->settings.buffer_size * machine->settings.axes;
    struct habit_average other;
    struct habit_result second;

    if (!shadow || lend(shadow) < 0)
        return;
    if (shadow->window.size != machine->settings.window)
        habit_window_init(&shadow->window, machine->settings.window);
    if (habit_get_sensitivity(&shadow->engine) != machine->settings.sensitivity)
        habit_set_sensitivity(&shadow->engine, machine->settings.sensitivity);
    if (habit_detect(&shadow->engine, samples, values, &second) == HABIT_OK) {
        count(&shadow->live, &machine->settings, (uint8_t[]){ result->similarity, second.similarity },
              (float[]){ result->distance, second.distance }, at);
        habit_window_add(&shadow->window, &second);
        if (average->known && habit_window_result(&shadow->engine, &shadow->window, &other) == HABIT_OK)
            count_windows(&shadow->live, &machine->settings, average, &other);
    }
    give_back(shadow);
}

/* --------------------------------------------------------------------------------------------------------- relearning */

static int refuse_few(const struct machine *machine, size_t count, size_t others, struct refusal *refusal)
{
    if (others > 0)
        return refuse(refusal, REFUSAL_GEOMETRY, "settings", "the %zu stored buffers of %s are of another geometry",
                      others, machine->id);
    if (machine->settings.store_buffers != BUFFERS_RAW)
        return refuse(refusal, REFUSAL_STATE, "store_buffers",
                      "no samples of %s are stored, so it cannot relearn: commission it anew", machine->id);
    return refuse(refusal, REFUSAL_STATE, "", "%zu buffers of what %s knows are stored, too few to judge by", count,
                  machine->id);
}

/* First what was learned, in its order; then what an operator accepted, anomaly by anomaly. */
static int teach(struct shadow *shadow, const struct kept *learned, const struct kept *accepted)
{
    int status = HABIT_OK;

    for (size_t i = 0; i < learned->count && status == HABIT_OK; i++)
        status = habit_learn(&shadow->engine, learned->samples + i * learned->values, learned->values, NULL);
    for (size_t i = 0, n; i < accepted->count && status == HABIT_OK; i += n) {
        for (n = 1; i + n < accepted->count && accepted->anomaly[i + n] == accepted->anomaly[i];)
            n++;
        status = habit_accept(&shadow->engine, accepted->samples + i * accepted->values, n);
    }
    habit_seal(&shadow->engine);
    return status == HABIT_OK ? 0 : fault(-EINVAL);
}

/* What there is to learn, read from the store. */
struct lesson {
    struct kept learned, accepted;
};

static int read_lesson(struct registry *registry, const struct machine *machine, struct lesson *lesson)
{
    struct habit_config config = machine_config(&machine->settings);
    int r = kept_read(registry, KEPT_COMMISSIONING, machine->row, &config, &lesson->learned);

    return r < 0 ? r : kept_read(registry, KEPT_ACCEPTED, machine->row, &config, &lesson->accepted);
}

/* The relearned engine, without a scratch; NULL with a refusal. */
static struct shadow *learn_anew(const struct machine *machine, const struct lesson *lesson, int64_t at,
                                 struct refusal *refusal)
{
    struct habit_config config = machine_config(&machine->settings);
    struct shadow *shadow = make(&machine->settings, &config);
    struct habit_progress progress = { 0 };
    int r;

    if (!shadow) {
        refuse_fault(refusal, fault(-ENOMEM));
        return NULL;
    }
    shadow->of = (struct store_candidate){ .made = at,
                                           .buffers = (uint32_t)lesson->learned.count,
                                           .accepted = (uint32_t)lesson->accepted.count };
    r = teach(shadow, &lesson->learned, &lesson->accepted);
    habit_status(&shadow->engine, &progress);
    give_back(shadow);
    if (r == 0 && progress.needed == 0)
        return shadow;
    if (r < 0)
        refuse_fault(refusal, r);
    else
        refuse_few(machine, lesson->learned.count, lesson->learned.others, refusal);
    return shadow_free(shadow);
}

/* Stores the candidate, which the machine takes over, and leaves the machine. */
static int keep_shadow(struct registry *registry, struct machine *machine, struct shadow *shadow, int64_t at,
                       struct refusal *refusal)
{
    struct store_candidate candidate = shadow->of;
    struct store_change change = machine_change(machine, at);

    candidate.bytes = shadow->memory.knowledge;
    candidate.size = shadow->memory.knowledge_size;
    change.candidate = &candidate;
    shadow_free(machine->shadow);
    machine->shadow = shadow;
    return machine_commit(registry, machine, &change, NULL, refusal);
}

int registry_relearn(struct registry *registry, const char *id, struct moment now, struct refusal *refusal)
{
    struct lesson lesson = { 0 };
    struct shadow *shadow = NULL;
    struct machine *machine;
    int r = machine_enter(registry, id, &machine, refusal);

    if (r != 0)
        return r;
    r = read_lesson(registry, machine, &lesson);
    if (r == 0)
        shadow = learn_anew(machine, &lesson, now.wall, refusal);
    kept_free(&lesson.learned);
    kept_free(&lesson.accepted);
    if (shadow)
        return keep_shadow(registry, machine, shadow, now.wall, refusal);
    machine_leave(machine);
    return r < 0 ? refuse_fault(refusal, r) : (int)refusal->code;
}

/* Enters a machine that has relearned knowledge. */
static int enter_shadowed(struct registry *registry, const char *id, struct machine **machine, struct refusal *refusal)
{
    int r = machine_enter(registry, id, machine, refusal);

    if (r != 0 || (*machine)->shadow)
        return r;
    machine_leave(*machine);
    return refuse(refusal, REFUSAL_NOT_FOUND, "", "%s has no relearned knowledge: POST .../relearn makes it", id);
}

/* ---------------------------------------------------------------------------------------------------------- comparing */

static void describe(struct habit_engine *engine, const void *knowledge, size_t size, struct relearned_side *side)
{
    struct habit_progress progress = { 0 };
    struct habit_info info = { 0 };

    habit_status(engine, &progress);
    habit_seal(engine);
    habit_check(knowledge, size, &info);
    *side = (struct relearned_side){ .learned = progress.learned,
                                     .states = progress.states,
                                     .settled = progress.settled,
                                     .false_alarms = progress.false_alarms,
                                     .crc = info.crc };
}

static void put_live(const struct comparison *live, struct relearned *relearned, int64_t skew)
{
    relearned->since = live->since != 0 ? live->since + skew : 0;
    relearned->judged = live->judged;
    relearned->both = live->both;
    relearned->windows = live->windows;
    for (int i = 0; i < 2; i++) {
        relearned->side[i].strange = live->strange[i];
        relearned->side[i].below = live->raised[i];
        relearned->side[i].log_distance = live->judged > 0 ? live->log_distance[i] / live->judged : (double)NAN;
    }
}

/* Buffers of anomalies that nobody accepted: both should find them strange. */
static int judge_anomalies(struct registry *registry, struct machine *machine, struct relearned *relearned)
{
    struct habit_engine *engines[2] = { &machine->engine, &machine->shadow->engine };
    struct habit_result result;
    struct kept kept;
    int r = kept_read(registry, KEPT_STRANGE, machine->row, &machine->shadow->engine.config, &kept);

    if (r < 0)
        return r;
    relearned->anomaly_buffers = (uint32_t)kept.count;
    for (size_t i = 0; i < kept.count; i++)
        for (int k = 0; k < 2; k++)
            relearned->side[k].found +=
                habit_detect(engines[k], kept.samples + i * kept.values, kept.values, &result) == HABIT_OK &&
                result.similarity < machine->settings.threshold;
    kept_free(&kept);
    return 0;
}

int registry_relearned(struct registry *registry, const char *id, struct moment now, struct relearned *relearned,
                       struct refusal *refusal)
{
    struct machine *machine;
    struct shadow *shadow;
    int r = enter_shadowed(registry, id, &machine, refusal);

    if (r != 0)
        return r;
    shadow = machine->shadow;
    memset(relearned, 0, sizeof(*relearned));
    r = lend(shadow);
    if (r == 0) {
        relearned->made = shadow->of.made;
        relearned->buffers = shadow->of.buffers;
        relearned->accepted = shadow->of.accepted;
        describe(&machine->engine, machine->memory.knowledge, machine->memory.knowledge_size, &relearned->side[0]);
        describe(&shadow->engine, shadow->memory.knowledge, shadow->memory.knowledge_size, &relearned->side[1]);
        put_live(&shadow->live, relearned, registry_skew(registry, now));
        r = judge_anomalies(registry, machine, relearned);
        give_back(shadow);
    }
    machine_leave(machine);
    return r < 0 ? refuse_fault(refusal, r) : 0;
}

/* ---------------------------------------------------------------------------------------------------- switch and drop */

/* The shadow's knowledge becomes the machine's own. */
static int take_over(struct machine *machine, const struct shadow *shadow)
{
    int r = machine->conflict ? machine_renew_engine(machine) : 0;

    if (r == 0 && habit_load(&machine->engine, shadow->memory.knowledge, shadow->memory.knowledge_size) != HABIT_OK)
        r = fault(-EINVAL);
    if (r == 0 && habit_get_sensitivity(&machine->engine) != machine->settings.sensitivity)
        habit_set_sensitivity(&machine->engine, machine->settings.sensitivity);
    return r;
}

static int check_config(const struct machine *machine, struct refusal *refusal)
{
    struct habit_config ours = machine_config(&machine->settings);
    char text[160];

    if (habit_config_compare(&ours, &machine->shadow->engine.config) == HABIT_FIELD_NONE)
        return 0;
    return refuse(refusal, REFUSAL_GEOMETRY, "settings", "%s: relearn again, the settings have changed since",
                  machine_difference(&ours, &machine->shadow->engine.config, text, sizeof(text)));
}

int registry_switch(struct registry *registry, const char *id, struct moment now, struct refusal *refusal)
{
    static const struct store_candidate none;
    const struct replacement replacement = { .reason = SNAPSHOT_RELEARN, .candidate = &none };
    struct episode_log log = { 0 };
    struct machine *machine;
    int r = enter_shadowed(registry, id, &machine, refusal);

    if (r != 0)
        return r;
    r = check_config(machine, refusal);
    if (r != 0) {
        machine_leave(machine);
        return r;
    }
    habit_seal(&machine->shadow->engine);
    r = episode_close(registry, machine, now.wall, &log);
    if (r == 0)
        r = take_over(machine, machine->shadow);
    machine_clear_window(machine);
    machine_join_time(machine, registry_steady(registry, now));
    strategy_start_watching(&machine->state, registry_steady(registry, now));
    machine->shadow = shadow_free(machine->shadow);
    return machine_commit_replaced(registry, machine, r, &replacement, now.wall, &log, refusal);
}

int registry_drop_relearned(struct registry *registry, const char *id, struct moment now, struct refusal *refusal)
{
    static const struct store_candidate none;
    struct store_change change;
    struct machine *machine;
    int r = enter_shadowed(registry, id, &machine, refusal);

    if (r != 0)
        return r;
    machine->shadow = shadow_free(machine->shadow);
    change = machine_change(machine, now.wall);
    change.candidate = &none;
    return machine_commit(registry, machine, &change, NULL, refusal);
}
