/* The path of buffers: decode, find the machine, let the strategy decide, learn or judge, and queue what must be durable. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "registry/commissioning.h"
#include "registry/internal.h"

/* What one submission is about to write. */
struct work {
    struct registry *registry;
    struct machine *machine; /* entered */
    const struct arrival *arrival;
    struct wire_buffers buffers;
    int64_t at; /* wall ms when it was measured */
    uint64_t learned, detected, duplicates;
    struct hour effect; /* counters that are stored in the transaction of what they count */
    int64_t anomaly_before;
    struct verdict last; /* of those that were no duplicates; last.at = 0: none */
    struct episode_log events;
    struct commissioning_list commissioning;
    struct refusal *refusal;
};

/* What a batch must be able to take back: all or nothing. Of a single buffer the engine itself takes back what it refuses. */
struct undo {
    bool batch;
    void *knowledge;
    struct marks marks;
    struct strategy_state state;
    struct habit_window window;
    struct hour hour[HOURS_PENDING];
    size_t hour_count;
    uint32_t commissioning_count;
    uint64_t commissioning_bytes;
};

/* ------------------------------------------------------------------------------------------------------------- time */

enum { OLDEST_DAYS = 30, NEWEST_MS = 300000 };

/* The measured time, where it is given and plausible: neither in the future nor older than a month. */
static int64_t measured_at(const struct wire_meta *meta, int64_t now)
{
    int64_t at = meta->has_time ? meta->time : meta->has_age ? now - (int64_t)meta->age_ms : now;

    return at > now + NEWEST_MS || at < now - OLDEST_DAYS * INT64_C(86400000) ? now : at;
}

/* ---------------------------------------------------------------------------------------------------------- decoding */

static struct wire_shape shape_of(const struct settings *settings, const struct arrival *arrival)
{
    const struct config_input *input = arrival->input;
    uint32_t format = arrival->format >= 0 ? (uint32_t)arrival->format : input ? input->format : settings->format;
    struct wire_shape shape = { .encoding = arrival->encoding,
                                .buffer_size = settings->buffer_size,
                                .axes = settings->axes,
                                .format = format,
                                .layout = input ? input->layout : settings->layout,
                                .scale = input ? input->scale : settings->scale,
                                .offset = input ? input->offset : settings->offset,
                                .json_path = input ? input->path : NULL };

    if (shape.encoding == ENCODING_RAW && format == FORMAT_JSON)
        shape.encoding = ENCODING_JSON;
    if (!input && (shape.encoding != ENCODING_RAW || format == FORMAT_F32)) { /* in the unit already */
        shape.scale = 1;
        shape.offset = 0;
    }
    return shape;
}

static int decode(struct work *work, const struct settings *settings)
{
    const struct arrival *arrival = work->arrival;
    struct wire_shape shape = shape_of(settings, arrival);
    int r;

    wire_buffers_free(&work->buffers);
    r = wire_decode(&shape, arrival->bytes, arrival->size, arrival->meta, &work->buffers, work->refusal);

    if (r != 0)
        return r;
    work->at = measured_at(&work->buffers.meta, arrival->now.wall);
    return 0;
}

/* ---------------------------------------------------------------------------------------------------------- context */

static struct named_number *context_find(struct machine *machine, const char *name)
{
    for (uint32_t i = 0; i < machine->context_count; i++)
        if (strcmp(machine->context[i].name, name) == 0)
            return &machine->context[i];
    return NULL;
}

/* Makes room for all names before anything changes. */
static int context_check(struct machine *machine, const struct wire_meta *meta, struct refusal *refusal)
{
    uint32_t count = machine->context_count;

    for (uint32_t i = 0; i < meta->context_count; i++) {
        count += !context_find(machine, meta->context[i].name);
        if (count > LIMIT_CONTEXT)
            return refuse_limit(refusal, REFUSAL_LIMIT, meta->context[i].name, LIMIT_CONTEXT,
                                "a machine has at most %d named numbers", LIMIT_CONTEXT);
    }
    if (meta->context_count > 0 && !machine->context)
        machine->context = calloc(LIMIT_CONTEXT, sizeof(*machine->context));
    return meta->context_count > 0 && !machine->context ? refuse_fault(refusal, fault(-ENOMEM)) : 0;
}

static void context_take(struct machine *machine, const struct wire_meta *meta)
{
    for (uint32_t i = 0; i < meta->context_count; i++) {
        struct named_number *slot = context_find(machine, meta->context[i].name);

        *(slot ? slot : &machine->context[machine->context_count++]) = meta->context[i];
        machine->news = true;
    }
}

/* ---------------------------------------------------------------------------------------------------- learn and judge */

static void describe_detection(const struct habit_result *result, uint32_t axes, struct detection *detection)
{
    *detection = (struct detection){ .similarity = result->similarity,
                                     .distance = result->distance,
                                     .p_value = result->p_value,
                                     .extrapolated = result->extrapolated,
                                     .constant = result->constant,
                                     .clipped = result->clipped,
                                     .axes = (uint8_t)axes,
                                     .reasons = result->reasons };
    memcpy(detection->level, result->level, sizeof(detection->level));
    memcpy(detection->amplitude, result->amplitude, sizeof(detection->amplitude));
    for (size_t i = 0; i < result->reasons; i++)
        detection->reason[i] = (struct reason){ .axis = result->reason[i].axis,
                                                .kind = habit_kind_name(result->reason[i].kind),
                                                .in_hz = result->reason[i].in_hz,
                                                .from = result->reason[i].from,
                                                .to = result->reason[i].to,
                                                .sigmas = result->reason[i].sigmas };
}

/* What a buffer can be refused for; anything else means that this machine's memory is not what it was. */
static int refuse_engine(struct work *work, int status, size_t index)
{
    if (status == HABIT_ECONSTANT)
        return refuse(work->refusal, REFUSAL_CONSTANT, "data", "buffer %zu: %s", index, habit_text(status));
    if (status == HABIT_EVALUE)
        return refuse(work->refusal, REFUSAL_NOT_FINITE, "data", "buffer %zu: %s", index, habit_text(status));
    work->machine->epoch = 0; /* load anew what the store holds */
    return refuse(work->refusal, REFUSAL_BROKEN, "", "the knowledge in memory does not hold: %s; it is loaded anew",
                  habit_text(status));
}

static int learn_one(struct work *work, const float *samples, size_t index, struct verdict *verdict)
{
    struct machine *machine = work->machine;
    struct habit_progress progress;
    size_t values = (size_t)machine->settings.buffer_size * machine->settings.axes;
    int status = habit_learn(&machine->engine, samples, values, &progress);

    if (status != HABIT_OK)
        return refuse_engine(work, status, index);
    machine_learning(machine, &progress, &verdict->learning);
    strategy_learned(&machine->settings, &machine->state, &verdict->learning, work->at);
    commissioning_add(&work->commissioning, machine, samples, work->at);
    work->effect.learned++;
    work->learned++;
    verdict->status = VERDICT_LEARNED;
    return 0;
}

static void not_ready(struct verdict *verdict)
{
    verdict->status = VERDICT_NOT_READY;
    verdict->note = "not enough was learned to judge a buffer";
}

static void judge_window(struct machine *machine, struct habit_window *window, const struct habit_result *result,
                         struct average *average)
{
    struct habit_average judged;

    habit_window_add(window, result);
    average->known = habit_window_result(&machine->engine, window, &judged) == HABIT_OK;
    if (!average->known)
        return;
    average->similarity = judged.similarity;
    average->distance = judged.distance;
}

static void count_detection(struct work *work, struct hour *hour, const struct verdict *verdict, int64_t since)
{
    const struct detection *detection = &verdict->detection;
    struct machine *machine = work->machine;

    work->detected++;
    hour->detected++;
    hour->below += detection->similarity < machine->settings.threshold;
    hour->similarity_sum += detection->similarity;
    hour->log_distance_sum += log((double)detection->distance);
    if (detection->similarity < hour->similarity_min)
        hour->similarity_min = detection->similarity;
    if (machine->state.anomaly != 0 && since != 0 && work->at > since) /* a long silence is not time in anomaly */
        hour->anomaly_ms += (uint64_t)(work->at - since < HOUR_MS ? work->at - since : HOUR_MS);
}

static int judge_one(struct work *work, const float *samples, size_t index, struct verdict *verdict)
{
    struct machine *machine = work->machine;
    struct hour *hour = machine_hour(machine, work->registry->store, work->at);
    size_t values = (size_t)machine->settings.buffer_size * machine->settings.axes;
    int64_t since = machine->state.last_detect;
    struct habit_result result;
    enum anomaly_event event;
    int status = habit_detect(&machine->engine, samples, values, &result);

    if (status == HABIT_ENOTREADY) {
        not_ready(verdict);
        hour->not_ready++;
        return 0;
    }
    if (status != HABIT_OK)
        return refuse_engine(work, status, index);
    verdict->status = VERDICT_OK;
    describe_detection(&result, machine->settings.axes, &verdict->detection);
    judge_window(machine, &machine->window, &result, &verdict->average);
    count_detection(work, hour, verdict, since);
    event = strategy_judged(&machine->settings, &machine->state, &verdict->average, work->at);
    if (event == ANOMALY_NONE)
        return 0;
    work->effect.anomalies += event == ANOMALY_RAISED;
    return episode_event(machine, work->registry->store, event, &verdict->average, &verdict->detection, work->at,
                         &work->events);
}

static void leave_out(struct work *work, enum strategy_action action, struct verdict *verdict)
{
    struct hour *hour = machine_hour(work->machine, work->registry->store, work->at);

    verdict->status = VERDICT_IDLE;
    *(action == ACTION_SKIP ? &hour->skipped : &hour->idle) += 1;
}

static int note_sequence(struct work *work, size_t index)
{
    const struct wire_meta *meta = &work->buffers.meta;
    int r;

    if (!meta->has_seq)
        return 0;
    r = marks_apply(&work->machine->marks, meta->source, meta->boot, meta->seq + index, work->arrival->now.wall);
    return r < 0 ? refuse_fault(work->refusal, r) : 0;
}

static bool is_duplicate(const struct work *work, size_t index)
{
    const struct wire_meta *meta = &work->buffers.meta;

    return meta->has_seq && marks_applied(&work->machine->marks, meta->source, meta->boot, meta->seq + index);
}

static int act(struct work *work, const float *samples, size_t index, struct verdict *verdict)
{
    static const enum strategy_wish wishes[] = {
        [INTENT_BUFFER] = WISH_AUTOMATIC, [INTENT_LEARN] = WISH_LEARN, [INTENT_DETECT] = WISH_DETECT
    };
    struct machine *machine = work->machine;
    enum strategy_action action =
        strategy_decide(&machine->settings, &machine->state, wishes[work->arrival->intent], work->at, &verdict->note);

    strategy_seen(&machine->state, work->at, work->arrival->now.wall);
    switch (action) {
    case ACTION_LEARN:
        return learn_one(work, samples, index, verdict);
    case ACTION_DETECT:
        return judge_one(work, samples, index, verdict);
    default:
        leave_out(work, action, verdict);
        return 0;
    }
}

/* What every verdict says, whatever became of the buffer. */
static void complete(const struct work *work, struct verdict *verdict)
{
    struct machine *machine = work->machine;

    if (verdict->status != VERDICT_LEARNED)
        machine_learning(machine, NULL, &verdict->learning);
    verdict->phase = strategy_phase(&machine->settings, &machine->state);
    verdict->anomaly = machine->state.anomaly;
    verdict->sensitivity = machine->settings.sensitivity;
    verdict->threshold = machine->settings.threshold;
    verdict->at = work->at;
}

static int apply_one(struct work *work, size_t index, struct verdict *verdict)
{
    const struct settings *settings = &work->machine->settings;
    const float *samples = work->buffers.samples + index * settings->buffer_size * settings->axes;
    int r = 0;

    memset(verdict, 0, sizeof(*verdict));
    if (is_duplicate(work, index)) {
        verdict->status = VERDICT_DUPLICATE;
        work->duplicates++;
        machine_hour(work->machine, work->registry->store, work->at)->duplicates++;
    } else {
        r = act(work, samples, index, verdict);
        if (r == 0)
            r = note_sequence(work, index);
    }
    if (r != 0)
        return r;
    complete(work, verdict);
    if (verdict->status != VERDICT_DUPLICATE) /* which is no news of the machine */
        work->last = *verdict;
    return 0;
}

/* Judges without a trace: no window, no counter, no mark. */
static int try_one(struct work *work, size_t index, struct verdict *verdict)
{
    struct machine *machine = work->machine;
    size_t values = (size_t)machine->settings.buffer_size * machine->settings.axes;
    struct habit_window window = machine->window;
    struct habit_result result;
    int status = habit_detect(&machine->engine, work->buffers.samples + index * values, values, &result);

    memset(verdict, 0, sizeof(*verdict));
    if (status == HABIT_OK) {
        describe_detection(&result, machine->settings.axes, &verdict->detection);
        judge_window(machine, &window, &result, &verdict->average);
    } else if (status == HABIT_ENOTREADY) {
        not_ready(verdict);
    } else {
        return refuse_engine(work, status, index);
    }
    complete(work, verdict);
    return 0;
}

/* ---------------------------------------------------------------------------------------------------- all or nothing */

static int copy_knowledge(struct machine *machine, struct undo *undo)
{
    undo->knowledge = malloc(machine->memory.knowledge_size);
    if (!undo->knowledge)
        return fault(-ENOMEM);
    habit_seal(&machine->engine);
    memcpy(undo->knowledge, machine->memory.knowledge, machine->memory.knowledge_size);
    return marks_copy(&machine->marks, &undo->marks);
}

static int prepare_undo(struct work *work, struct undo *undo)
{
    struct machine *machine = work->machine;
    int r;

    machine_hour(machine, work->registry->store,
                 work->at); /* makes room now: what it hands over cannot be taken back */
    *undo = (struct undo){ .batch = work->buffers.count > 1,
                           .state = machine->state,
                           .window = machine->window,
                           .hour_count = machine->hour_count,
                           .commissioning_count = machine->commissioning_count,
                           .commissioning_bytes = machine->commissioning_bytes };
    memcpy(undo->hour, machine->hour, sizeof(undo->hour));
    r = undo->batch ? copy_knowledge(machine, undo) : 0;
    return r < 0 ? refuse_fault(work->refusal, r) : 0;
}

/* The engine refuses only while learning, and a batch learns before it judges: so there is no event to take back. */
static void take_back(struct work *work, struct undo *undo)
{
    struct machine *machine = work->machine;

    machine->state = undo->state;
    machine->window = undo->window;
    machine->commissioning_count = undo->commissioning_count;
    machine->commissioning_bytes = undo->commissioning_bytes;
    machine->hour_count = undo->hour_count;
    memcpy(machine->hour, undo->hour, sizeof(undo->hour));
    if (work->events.count > 0 ||
        (undo->batch &&
         (!undo->knowledge || habit_load(&machine->engine, undo->knowledge, machine->memory.knowledge_size) != 0)))
        machine->epoch = 0; /* memory broke on the way: load anew what the store holds */
    if (!undo->batch)
        return;
    marks_free(&machine->marks);
    machine->marks = undo->marks;
    undo->marks = (struct marks){ 0 };
}

static int apply_all(struct work *work, struct verdict *verdicts, size_t room)
{
    struct verdict beyond;
    struct undo undo;
    int r = prepare_undo(work, &undo);
    bool prepared = r == 0;

    for (size_t i = 0; i < work->buffers.count && r == 0; i++) {
        struct verdict *verdict = i < room ? &verdicts[i] : &beyond;

        r = work->arrival->dry_run ? try_one(work, i, verdict) : apply_one(work, i, verdict);
    }
    work->anomaly_before = undo.state.anomaly;
    if (r != 0 && prepared)
        take_back(work, &undo);
    marks_free(&undo.marks);
    free(undo.knowledge);
    return r;
}

/* ---------------------------------------------------------------------------------------------------------- durable */

static void count_work(struct work *work)
{
    work->registry->detected += work->detected;
    work->registry->duplicates += work->duplicates;
    work->registry->ignored += work->buffers.meta.ignored;
    if (work->last.at != 0)
        work->machine->last = work->last;
}

/* Learned knowledge and events wait for the disk; counters and windows go with the next flush. A duplicate waits too: the
 * buffer that it repeats may still be on its way. */
static int keep(struct work *work, struct receipt *receipt)
{
    struct machine *machine = work->machine;
    struct store_change change = machine_change(machine, work->arrival->now.wall);

    machine->unsaved = machine->news = true;
    if (work->learned == 0 && work->duplicates == 0 && work->events.count == 0) {
        machine_leave(machine);
        return 0;
    }
    if (work->learned > 0)
        machine_change_knowledge(machine, &change);
    if (work->buffers.meta.has_seq) {
        change.marks = machine->marks.mark;
        change.mark_count = machine->marks.count;
    }
    change.commissioning = work->commissioning.buffer;
    change.commissioning_count = work->commissioning.count;
    change.anomalies = work->events.anomalies;
    change.outgoing = work->events.outgoing;
    change.anomaly_count = change.outgoing_count = work->events.count;
    work->effect.start = work->at - work->at % HOUR_MS;
    work->effect.similarity_min = 101;
    change.hours = &work->effect;
    change.hour_count = work->effect.learned > 0 || work->effect.anomalies > 0;
    return machine_commit(work->registry, machine, &change, receipt, work->refusal);
}

static int check_conflict(const struct machine *machine, struct refusal *refusal)
{
    struct habit_config config = machine_config(&machine->settings);
    char text[160];

    if (!machine->conflict)
        return 0;
    return refuse(refusal, REFUSAL_GEOMETRY, "settings", "%s: POST .../initialize forgets what was learned",
                  machine_difference(&config, &machine->engine.config, text, sizeof(text)));
}

static void count_refused(struct work *work, int r)
{
    if (r > 0 && !work->arrival->dry_run)
        machine_hour(work->machine, work->registry->store, work->arrival->now.wall)->refused++;
    work->machine->unsaved = true;
}

/* While the store fails, detection goes on: what it could not keep was not raised, and the next buffer raises it anew. */
static void forget_anomaly(const struct work *work, struct verdict *verdicts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        verdicts[i].anomaly = work->anomaly_before;
}

static int submit_entered(struct work *work, struct verdict *verdicts, size_t room, size_t *count,
                          struct receipt *receipt)
{
    int r = check_conflict(work->machine, work->refusal);
    bool promised;

    if (r == 0)
        r = decode(work, &work->machine->settings);
    if (r == 0)
        r = context_check(work->machine, &work->buffers.meta, work->refusal);
    if (r == 0)
        r = apply_all(work, verdicts, room);
    if (r != 0) {
        count_refused(work, r);
        machine_leave(work->machine);
        return r;
    }
    *count = work->buffers.count;
    if (work->arrival->dry_run) {
        machine_leave(work->machine);
        return 0;
    }
    context_take(work->machine, &work->buffers.meta);
    count_work(work);
    promised = work->learned > 0 || work->duplicates > 0;
    if (receipt) {
        receipt->promised = promised;
        receipt->learned = work->learned; /* counted when it is settled */
    }
    r = keep(work, receipt);
    if (r == 0 && !receipt)
        work->registry->learned += work->learned;
    if (r != REFUSAL_STORE || promised)
        return r;
    forget_anomaly(work, verdicts, *count < room ? *count : room);
    return 0;
}

/* A machine is made by its first buffer where a pattern says so, and only by one that it can take. */
static int make_by_pattern(struct work *work)
{
    const struct arrival *arrival = work->arrival;
    struct settings settings;
    bool create;
    int r;

    registry_base_settings(work->registry, arrival->id, &settings, &create);
    if (!create || arrival->dry_run)
        return REFUSAL_NO_MACHINE; /* with the words of machine_enter */
    r = settings_check(&settings, work->refusal);
    if (r == 0)
        r = decode(work, &settings);
    if (r == 0)
        r = registry_create_by_pattern(work->registry, arrival->id, arrival->now.wall, work->refusal);
    return r == 0 ? machine_enter(work->registry, arrival->id, &work->machine, work->refusal) : r;
}

static uint32_t pending_format(const struct arrival *arrival)
{
    if (arrival->encoding != ENCODING_RAW)
        return FORMAT_JSON;
    return arrival->input ? arrival->input->format : FORMAT_F32;
}

static int enter_or_make(struct work *work)
{
    const struct arrival *arrival = work->arrival;
    int r = machine_enter(work->registry, arrival->id, &work->machine, work->refusal);

    if (r == REFUSAL_NO_MACHINE)
        r = make_by_pattern(work);
    if (r == REFUSAL_NO_MACHINE && arrival->topic)
        pending_note(work->registry->pending, arrival->id, arrival->topic, arrival->size, pending_format(arrival),
                     arrival->now.wall);
    return r;
}

int registry_submit(struct registry *registry, const struct arrival *arrival, struct verdict *verdicts, size_t room,
                    size_t *count, struct receipt *receipt, struct refusal *refusal)
{
    static const struct wire_meta unknown;
    struct arrival known = *arrival;
    struct refusal own = { 0 };
    struct work work = { .registry = registry, .arrival = &known, .refusal = refusal ? refusal : &own };
    int r;

    known.meta = arrival->meta ? arrival->meta : &unknown;
    if (receipt)
        *receipt = (struct receipt){ 0 };
    r = enter_or_make(&work);
    if (r == 0)
        r = submit_entered(&work, verdicts, room, count, receipt);
    if (r > 0 && r != REFUSAL_STORE) /* registry_settle counts those */
        registry->refusals[r]++;
    wire_buffers_free(&work.buffers);
    episode_log_free(&work.events);
    commissioning_free(&work.commissioning);
    return r;
}

/* -------------------------------------------------------------------------------------------------- context alone */

int registry_context(struct registry *registry, const char *id, const struct wire_meta *context, struct moment now,
                     struct refusal *refusal)
{
    struct machine *machine;
    int r = machine_enter(registry, id, &machine, refusal);

    (void)now; /* context_ttl comes with the rules that need it */
    if (r == 0) {
        r = context_check(machine, context, refusal);
        if (r == 0)
            context_take(machine, context);
        machine_leave(machine);
    }
    if (r > 0)
        registry->refusals[r]++;
    return r;
}
