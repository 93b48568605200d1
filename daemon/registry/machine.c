/* One machine: its engine, and what is kept of it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "registry/internal.h"
#include "report/days.h"

struct habit_config machine_config(const struct settings *settings)
{
    struct habit_config config = HABIT_CONFIG_DEFAULT;

    config.buffer_size = (uint16_t)settings->buffer_size;
    config.axes = (uint8_t)settings->axes;
    config.profile = (uint8_t)settings->profile;
    config.sampling_hz = settings->sampling_hz;
    config.scale = settings->scale;
    memcpy(config.unit, settings->unit, strlen(settings->unit));
    return config;
}

/* Knowledge and cache in one allocation; scratch is the caller's of the moment, see machine_enter. */
static int allocate(const struct habit_config *config, struct habit_memory *memory)
{
    char *bytes;

    *memory = (struct habit_memory){ .knowledge_size = habit_knowledge_size(config),
                                     .cache_size = habit_cache_size(config),
                                     .scratch_size = habit_scratch_size(config) };
    if (memory->knowledge_size == 0)
        return fault(-EINVAL);
    bytes = calloc(1, memory->knowledge_size + memory->cache_size);
    if (!bytes)
        return fault(-ENOMEM);
    memory->knowledge = bytes;
    memory->cache = bytes + memory->knowledge_size;
    return 0;
}

/* An engine of any configuration, that has learned nothing. A machine that had a scratch has one of the new size then. */
static int make_engine(struct machine *machine, const struct habit_config *config)
{
    void *lent = machine->engine.memory.scratch;
    struct habit_memory memory;
    int r = allocate(config, &memory);

    if (r < 0)
        return r;
    memory.scratch = malloc(memory.scratch_size);
    if (!memory.scratch || habit_init(&machine->engine, config, &memory) != HABIT_OK) {
        free(memory.scratch);
        free(memory.knowledge);
        return fault(-ENOMEM);
    }
    habit_set_sensitivity(&machine->engine, machine->settings.sensitivity);
    habit_window_init(&machine->window, machine->settings.window);
    recent_forget(machine);
    free(machine->memory.knowledge);
    machine->memory = memory;
    machine->memory.scratch = NULL; /* lent for the call only: see machine_lend_scratch */
    if (lent)
        free(lent);
    else
        machine_return_scratch(machine);
    return 0;
}

int machine_renew_engine(struct machine *machine)
{
    struct habit_config config = machine_config(&machine->settings);
    int r = make_engine(machine, &config);

    if (r == 0)
        machine->conflict = machine->damaged = false;
    return r;
}

int machine_new(struct machine **ret_machine, const char *id, const struct settings *settings)
{
    struct machine *machine = calloc(1, sizeof(*machine));
    int r;

    if (!machine)
        return fault(-ENOMEM);
    pthread_mutex_init(&machine->lock, NULL);
    machine->references = 1;
    machine->settings = *settings;
    machine->state.memory.version = STRATEGY_MEMORY_VERSION;
    snprintf(machine->id, sizeof(machine->id), "%s", id);
    r = machine_renew_engine(machine);
    if (r < 0) {
        machine_free(machine);
        return r;
    }
    *ret_machine = machine;
    return 0;
}

struct machine *machine_free(struct machine *machine)
{
    if (!machine)
        return NULL;
    free(machine->memory.knowledge);
    free(machine->open.explanation);
    free(machine->context);
    free(machine->recent);
    stream_free(machine->stream);
    free(machine->mute);
    shadow_free(machine->shadow);
    suspects_clear(&machine->suspects);
    marks_free(&machine->marks);
    marks_free(&machine->judged);
    pthread_mutex_destroy(&machine->lock);
    free(machine);
    return NULL;
}

/* ------------------------------------------------------------------------------------------------- from the store */

/* A window of another K or another version begins empty. */
static void restore_window(struct machine *machine, const struct store_machine *stored)
{
    struct habit_window window;

    if (stored->window_size != sizeof(window))
        return;
    memcpy(&window, stored->window, sizeof(window));
    if (habit_window_valid(&window) && window.size == machine->settings.window)
        machine->window = window;
}

/* Where the settings have another geometry than the knowledge, the knowledge stays in force until somebody says initialize:
 * a changed file must not throw away what was learned. */
static int restore_knowledge(struct machine *machine, const struct store_machine *stored)
{
    struct habit_config config = machine_config(&machine->settings);
    struct habit_info info;
    int r;

    if (!stored->knowledge)
        return 0;
    if (habit_check(stored->knowledge, stored->knowledge_size, &info) != HABIT_OK) {
        machine->damaged = true;
        return 0;
    }
    machine->conflict = habit_config_compare(&config, &info.config) != HABIT_FIELD_NONE;
    r = machine->conflict ? make_engine(machine, &info.config) : 0;
    if (r == 0 && machine_lend_scratch(machine, NULL) != 0)
        r = fault(-ENOMEM);
    if (r < 0)
        return r;
    machine->damaged = habit_load(&machine->engine, stored->knowledge, stored->knowledge_size) != HABIT_OK;
    if (habit_get_sensitivity(&machine->engine) != machine->settings.sensitivity)
        habit_set_sensitivity(&machine->engine, machine->settings.sensitivity);
    machine_return_scratch(machine);
    return 0;
}

static int restore_marks(struct machine *machine, const struct store_machine *stored)
{
    if (stored->mark_count == 0)
        return 0;
    machine->marks.mark = calloc(stored->mark_count, sizeof(*stored->marks));
    if (!machine->marks.mark)
        return fault(-ENOMEM);
    memcpy(machine->marks.mark, stored->marks, stored->mark_count * sizeof(*stored->marks));
    machine->marks.count = stored->mark_count;
    return 0;
}

static int restore_mute(struct machine *machine, const struct mute *mute)
{
    if (mute->until == 0)
        return 0;
    machine->mute = malloc(sizeof(*mute));
    if (!machine->mute)
        return fault(-ENOMEM);
    *machine->mute = *mute;
    return 0;
}

int machine_restore(struct machine *machine, const struct store_machine *stored)
{
    int r;

    machine->row = stored->machine;
    machine->fresh = true;
    machine->created = stored->created;
    machine->state = stored->state;
    machine->told = stored->state.anomaly;
    if (machine->state.phase >= PHASE_PAUSED)
        machine->state.phase = PHASE_NEW;
    machine->commissioning_count = stored->commissioning_count;
    machine->commissioning_bytes = stored->commissioning_bytes;
    r = restore_knowledge(machine, stored);
    if (r == 0)
        r = restore_marks(machine, stored);
    if (r == 0)
        r = restore_mute(machine, &stored->mute);
    if (r == 0)
        r = shadow_restore(machine, &stored->candidate);
    if (r == 0 && !machine->damaged)
        restore_window(machine, stored);
    if (machine->window.count == 0) /* a row of other windows */
        machine->state.memory.below = 0;
    return r;
}

/* When it was heard, ran and was judged: of that nothing waits for a commit, and hours have it already. What hangs together with
 * knowledge is the store's: phases, what was learned, levels and rules. */
static void keep_what_happened(const struct machine *machine, struct strategy_state *stored)
{
    const struct strategy_state *state = &machine->state;

    if (!machine->fresh)
        state_join_time(stored, state->last_seen);
    if (state->last_seen != 0) {
        stored->last_seen = state->last_seen;
        stored->last_measured = state->last_measured;
        stored->interval = state->interval;
    }
    if (state->last_detect != 0) {
        stored->last_detect = state->last_detect;
        stored->memory.judged = state->memory.judged;
        stored->memory.interval = state->memory.interval;
        stored->memory.together = state->memory.together;
    }
    if (state->anomaly == stored->anomaly)
        stored->anomaly_buffers = state->anomaly_buffers;
    if (state->memory.run.last == 0) /* forgotten, by something that was refused */
        return;
    stored->memory.run.status = state->memory.run.status;
    stored->memory.run.since = state->memory.run.since;
    stored->memory.run.last = state->memory.run.last;
    stored->memory.dead = state->memory.dead;
    stored->memory.clipped = state->memory.clipped;
    stored->memory.fast = state->memory.fast;
    stored->memory.present = state->memory.present;
}

/* Detections are not waited for, but they happened; unless the window is empty, by something that was refused. */
static void keep_window(struct machine *machine, struct machine *from)
{
    if (machine->window.size != from->window.size || machine->window.count == 0)
        machine->window = from->window;
    else
        from->state.memory.below = machine->state.memory.below;
}

/* The store has it by the clock that was when it began. */
static void keep_mute(struct machine *machine, struct machine *from)
{
    struct mute *mute = machine->mute, *stored = from->mute;

    if (!mute || !stored || mute->until - mute->since != stored->until - stored->since || mute->then != stored->then)
        return;
    stored->since = mute->since;
    stored->until = mute->until;
}

int machine_take(struct machine *machine, struct machine *from)
{
    if (marks_join(&from->marks, &machine->judged) < 0)
        return fault(-ENOMEM);
    keep_what_happened(machine, &from->state);
    keep_window(machine, from);
    keep_mute(machine, from);
    free(machine->memory.knowledge);
    marks_free(&machine->marks);
    free(machine->open.explanation);
    free(machine->mute);
    shadow_free(machine->shadow);
    machine->settings = from->settings;
    machine->state = from->state;
    machine->told = from->told;
    machine->planned = (struct alarm_figures){ 0 };
    machine->engine = from->engine;
    machine->memory = from->memory;
    machine->marks = from->marks;
    machine->open = from->open;
    machine->conflict = from->conflict;
    machine->damaged = from->damaged;
    machine->commissioning_count = from->commissioning_count;
    machine->commissioning_bytes = from->commissioning_bytes;
    machine->mute = from->mute;
    machine->shadow = from->shadow;
    from->mute = NULL;
    from->shadow = NULL;
    from->memory = (struct habit_memory){ 0 };
    from->marks = (struct marks){ 0 };
    from->open = (struct anomaly){ 0 };
    machine->enriched = 0; /* the snapshot may not have reached the disk */
    return 0;
}

/* ----------------------------------------------------------------------------------------------------------- views */

static void describe(const struct habit_config *config, enum habit_field field, char *text, size_t size)
{
    static const char *const profiles[] = { "small", "default", "large" };

    switch (field) {
    case HABIT_FIELD_BUFFER_SIZE:
        snprintf(text, size, "%u", config->buffer_size);
        break;
    case HABIT_FIELD_AXES:
        snprintf(text, size, "%u", config->axes);
        break;
    case HABIT_FIELD_PROFILE:
        snprintf(text, size, "%s", profiles[config->profile % 3]);
        break;
    case HABIT_FIELD_SAMPLING_HZ:
        snprintf(text, size, "%.9g Hz", (double)config->sampling_hz);
        break;
    case HABIT_FIELD_SCALE:
        snprintf(text, size, "%.9g", (double)config->scale);
        break;
    default:
        snprintf(text, size, "'%.*s'", (int)sizeof(config->unit), config->unit);
        break;
    }
}

const char *machine_difference(const struct habit_config *ours, const struct habit_config *theirs, char *text,
                               size_t size)
{
    static const char *const names[] = { "", "buffer_size", "axes", "profile", "sampling_hz", "scale", "unit" };
    enum habit_field field = habit_config_compare(ours, theirs);
    char here[32], there[32];

    describe(ours, field, here, sizeof(here));
    describe(theirs, field, there, sizeof(there));
    snprintf(text, size, "%s: %s in the settings, %s in the knowledge", names[field], here, there);
    return text;
}

void machine_learning(struct machine *machine, const struct habit_progress *progress, struct learning *learning)
{
    static const enum lack lacks[HABIT_MISSINGS] = { [HABIT_MISSING_NOTHING] = LACK_NOTHING,
                                                     [HABIT_MISSING_BUFFERS] = LACK_BUFFERS,
                                                     [HABIT_MISSING_MORE] = LACK_MORE,
                                                     [HABIT_MISSING_REST] = LACK_REST,
                                                     [HABIT_MISSING_STATE] = LACK_STATE };
    struct habit_progress asked;

    if (!progress) {
        memset(&asked, 0, sizeof(asked));
        habit_status(&machine->engine, &asked);
        progress = &asked;
    }
    *learning = (struct learning){ .learned = progress->learned,
                                   .needed = progress->needed,
                                   .settled = progress->settled,
                                   .weight = progress->weight,
                                   .false_alarms = progress->false_alarms,
                                   .extrapolated = progress->extrapolated,
                                   .states = progress->states,
                                   .rare = progress->rare,
                                   .lack = lacks[progress->missing],
                                   .missing = habit_missing_text(progress->missing) };
}

void machine_view(struct registry *registry, struct machine *machine, struct machine_view *view, struct moment now)
{
    int64_t steady = registry_steady(registry, now);
    struct habit_config config = machine_config(&machine->settings);
    struct habit_info info = { 0 };

    memset(view, 0, sizeof(*view));
    snprintf(view->id, sizeof(view->id), "%s", machine->id);
    view->created = machine->created;
    view->settings = machine->settings;
    view->state = machine->state;
    view->state.phase = strategy_phase(&machine->settings, &machine->state);
    view->state.anomaly = machine->told;
    view->last = machine->last;
    if (view->last.anomaly != 0)
        view->last.anomaly = view->state.anomaly;
    view->online = strategy_online(&machine->settings, &machine->state, steady);
    view->relearned = machine->shadow != NULL;
    machine_view_mute(registry, machine, now, &view->mute);
    view->troubles = machine->state.memory.told;
    view->plan = *machine_plan(machine);
    strategy_promise(&view->plan, machine->planned.learned, view->promise);
    view->conflict = machine->conflict;
    if (machine->conflict)
        machine_difference(&config, &machine->engine.config, view->conflict_text, sizeof(view->conflict_text));
    machine_learning(machine, NULL, &view->learning);
    strategy_progress(&machine->settings, &machine->state, &view->learning, steady, view->progress);
    for (uint32_t i = 0; i < machine->settings.rule.count; i++)
        view->rule_stage[i] = rule_stage_name(&machine->settings, &machine->state, i);
    strategy_move(&view->state, registry_skew(registry, now)); /* to the wall clock as it is */
    habit_drift(&machine->engine, &view->drift);
    habit_seal(&machine->engine);
    if (habit_check(machine->memory.knowledge, machine->memory.knowledge_size, &info) == HABIT_OK) {
        view->knowledge_crc = info.crc;
        view->knowledge_size = info.size;
    }
    view->context_count = machine->context_count;
    if (machine->context)
        memcpy(view->context, machine->context, sizeof(view->context));
}

/* ----------------------------------------------------------------------------------------------------------- hours */

/* The oldest hour goes to the store, now: rare, only where a backlog spans more hours than there is room for. Where the store
 * fails, its counts go into the next hour rather than nowhere. Counters are of every epoch. */
static void hand_over_oldest(struct machine *machine, struct store *store, int64_t at)
{
    struct store_change change = { .machine = machine->row,
                                   .epoch = store_epoch(store, machine->row),
                                   .at = at,
                                   .hours = machine->hour,
                                   .hour_count = 1 };
    struct store_op *op;
    int r = store_submit(store, &change, &op);

    if (r == 0)
        r = store_finish(store, op);
    if (r < 0)
        hour_add(&machine->hour[1], &machine->hour[0]);
    memmove(&machine->hour[0], &machine->hour[1], (HOURS_PENDING - 1) * sizeof(machine->hour[0]));
    machine->hour_count--;
}

/* Of nearly all zones every hour of UTC is one row. To find that out takes as long as a detect: so it is remembered of the last. */
int64_t machine_hour_start(struct machine *machine, int64_t at)
{
    int64_t hour = at - at % HOUR_MS;

    if (machine->whole_hour == hour && at >= HOUR_MS)
        return hour;
    if (civil_hour_start(hour) == hour && civil_hour_start(hour + HOUR_MS - 1) == hour)
        machine->whole_hour = hour;
    return civil_hour_start(at);
}

struct hour *machine_hour(struct machine *machine, struct store *store, int64_t at)
{
    int64_t start = machine_hour_start(machine, at);
    struct hour *hour;

    for (size_t i = 0; i < machine->hour_count; i++)
        if (machine->hour[i].start == start)
            return &machine->hour[i];
    if (machine->hour_count == HOURS_PENDING)
        hand_over_oldest(machine, store, at);
    hour = &machine->hour[machine->hour_count++];
    *hour = (struct hour){ .start = start, .similarity_min = 101 };
    return hour;
}
