/* The path of buffers: find the machine, decode, learn or judge (judge.c), and queue what must be durable. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "registry/work.h"
#include "report/days.h"

/* What a batch must be able to take back: all or nothing. Of a single buffer the engine itself takes back what it refuses. */
struct undo {
    bool batch;
    size_t events; /* of the submission, before */
    uint64_t learned;
    bool forget;
    void *knowledge;
    struct marks marks;
    struct strategy_state state;
    struct habit_window window;
    struct named_number context[LIMIT_CONTEXT];
    uint32_t context_count;
    struct hour hour[HOURS_PENDING];
    size_t hour_count;
    uint32_t commissioning_count;
    uint64_t commissioning_bytes;
    int64_t enriched;
};

/* ------------------------------------------------------------------------------------------------------------- time */

enum { OLDEST_DAYS = 30, NEWEST_MS = 300000 };

/* The measured time, where it is given and plausible: neither in the future nor older than a month. */
static int64_t measured_at(const struct wire_meta *meta, int64_t now)
{
    int64_t at = meta->has_time ? meta->time : meta->has_age ? now - (int64_t)meta->age_ms : now;

    return at > now + NEWEST_MS || at < now - OLDEST_DAYS * INT64_C(86400000) ? now : at;
}

/* Hours that are in a report are not added to any more: what comes later counts now, and as late. A clock that went back over
 * the end of a reported day counts into the first hour after it. */
static int64_t counted_at(struct registry *registry, int64_t at, int64_t now)
{
    int64_t closed = registry->closed;

    return at >= closed ? at : now >= closed ? now : closed;
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
                                .line = arrival->line,
                                .json_path = input ? input->path : NULL };

    if (shape.encoding == ENCODING_RAW && format == FORMAT_JSON)
        shape.encoding = ENCODING_JSON;
    if (!input && (shape.encoding != ENCODING_RAW || format == FORMAT_F32)) { /* in the unit already */
        shape.scale = 1;
        shape.offset = 0;
    }
    return shape;
}

void work_set_time(struct work *work, int64_t at)
{
    work->at = at;
    work->steady = at - work->arrival->now.wall + work->now;
    work->counted = counted_at(work->registry, at, work->arrival->now.wall);
}

/* A stream, or a message that several machines share: its length is not that of this machine's buffers. */
static bool is_message(const struct arrival *arrival)
{
    return arrival->message || (arrival->input && arrival->input->stream);
}

static int decode(struct work *work, const struct settings *settings)
{
    const struct arrival *arrival = work->arrival;
    struct wire_shape shape = shape_of(settings, arrival);
    int r;

    wire_buffers_free(&work->buffers);
    if (is_message(arrival))
        r = work_decode_message(work, settings, &shape);
    else
        r = wire_decode(&shape, arrival->bytes, arrival->size, arrival->meta, &work->buffers, work->refusal);
    if (r != 0)
        return r;
    work->samples = work->buffers.samples;
    work->stride = (size_t)settings->buffer_size * settings->axes;
    work->count = work->buffers.count;
    work->now = registry_steady(work->registry, arrival->now);
    work->came_at = measured_at(&work->buffers.meta, arrival->now.wall);
    work_set_time(work, work->came_at);
    work->timed = !work->stream && work->count == 1 && (work->buffers.meta.has_time || work->buffers.meta.has_age);
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

static int prepare_undo(struct work *work, size_t count, struct undo *undo)
{
    struct machine *machine = work->machine;
    int r;

    work_hour(work); /* makes room now: what it hands over cannot be taken back */
    *undo = (struct undo){ .batch = count > 1,
                           .events = work->events.count,
                           .learned = work->learned,
                           .forget = work->forget,
                           .state = machine->state,
                           .window = machine->window,
                           .context_count = machine->context_count,
                           .hour_count = machine->hour_count,
                           .commissioning_count = machine->commissioning_count,
                           .commissioning_bytes = machine->commissioning_bytes,
                           .enriched = machine->enriched };
    memcpy(undo->hour, machine->hour, sizeof(undo->hour));
    if (machine->context)
        memcpy(undo->context, machine->context, sizeof(undo->context));
    r = undo->batch ? copy_knowledge(machine, undo) : 0;
    return r < 0 ? refuse_fault(work->refusal, r) : 0;
}

/* The engine refuses only while learning, and a batch learns before it judges: so there is no event to take back. */
static void take_back(struct work *work, struct undo *undo)
{
    struct machine *machine = work->machine;

    machine->state = undo->state;
    machine->window = undo->window;
    machine->context_count = undo->context_count;
    if (machine->context)
        memcpy(machine->context, undo->context, sizeof(undo->context));
    machine->commissioning_count = undo->commissioning_count;
    machine->commissioning_bytes = undo->commissioning_bytes;
    machine->enriched = undo->enriched;
    machine->hour_count = undo->hour_count;
    memcpy(machine->hour, undo->hour, sizeof(undo->hour));
    if (work->events.count > undo->events || (work->forget && !undo->forget && !undo->batch) ||
        (work->learned > undo->learned && !undo->batch) ||
        (undo->batch &&
         (!undo->knowledge || habit_load(&machine->engine, undo->knowledge, machine->memory.knowledge_size) != 0)))
        machine->epoch = 0; /* memory broke on the way: load anew what the store holds */
    if (!undo->batch)
        return;
    marks_free(&machine->marks);
    machine->marks = undo->marks;
    undo->marks = (struct marks){ 0 };
}

/* Some buffers of the submission, all or none of them. */
static int apply(struct work *work, size_t from, size_t count, struct verdict *verdicts, size_t room)
{
    struct verdict beyond;
    struct undo undo;
    int r = prepare_undo(work, count, &undo);
    bool prepared = r == 0;

    if (prepared && !work->arrival->dry_run) {
        machine_join_time(work->machine, work->now);
        context_take(work->machine, &work->buffers.meta, work->steady);
    }
    for (size_t i = from; i < from + count && r == 0; i++) {
        struct verdict *verdict = i < room ? &verdicts[i] : &beyond;

        r = work->arrival->dry_run ? work_try(work, i, verdict) : work_apply(work, i, verdict);
    }
    if (r != 0 && prepared)
        take_back(work, &undo);
    marks_free(&undo.marks);
    free(undo.knowledge);
    return r;
}

static void count_refused(struct work *work, int r)
{
    if (r == REFUSAL_CONSTANT && !work->arrival->dry_run)
        trouble_sensor(&work->machine->state, TROUBLE_DEAD, true);
    if (r > 0 && !work->arrival->dry_run)
        machine_hour(work->machine, work->registry->store,
                     counted_at(work->registry, work->arrival->now.wall, work->arrival->now.wall))
            ->refused++;
    work->machine->unsaved = true;
}

/* Each buffer for itself: one that the engine does not take is no reason to lose those around it. */
static int apply_stream(struct work *work, struct verdict *verdicts, size_t room)
{
    int r = work_join_stream(work);

    for (size_t i = 0; i < work->count && r == 0; i++) {
        work_time_stream(work, i);
        r = apply(work, i, 1, verdicts, room);
        if (r <= 0 || r == REFUSAL_BROKEN)
            continue;
        count_refused(work, r);
        work->registry->refusals[r]++;
        r = 0;
    }
    work_leave_stream(work);
    if (r != 0) /* broken: its number counts as applied in memory, and so do the buffers before */
        work->machine->epoch = 0;
    return r;
}

static int apply_all(struct work *work, struct verdict *verdicts, size_t room)
{
    work->told = work->machine->told;
    return work->stream ? apply_stream(work, verdicts, room) : apply(work, 0, work->count, verdicts, room);
}

/* ---------------------------------------------------------------------------------------------------------- durable */

static enum transport transport_of(const struct work *work)
{
    return work->arrival->topic ? TRANSPORT_MQTT : TRANSPORT_HTTP;
}

static void count_work(struct work *work)
{
    for (size_t i = 0; i < VERDICTS; i++)
        work->machine->counters.buffers[transport_of(work)][i] += work->verdicts[i];
    work->registry->detected += work->detected;
    work->registry->duplicates += work->duplicates;
    work->registry->ignored += work->buffers.meta.ignored;
    if (work->last.at != 0)
        work->machine->last = work->last;
}

/* Learned knowledge and events wait for the disk; counters and windows go with the next flush. A duplicate waits too: the
 * buffer that it repeats may still be on its way. */
static bool waits(const struct work *work)
{
    return work->learned > 0 || work->duplicates > 0 || work->events.count > 0 || work->forget;
}

static int queue(struct work *work, struct receipt *receipt)
{
    struct machine *machine = work->machine;
    struct store_change change = machine_change(machine, work->arrival->now.wall);

    machine->unsaved = machine->news = true;
    if (!waits(work)) {
        machine_leave(machine);
        histogram_observe(&work->registry->ingest_latency[receipt->transport], &histogram_milliseconds,
                          clock_ticks() - receipt->began);
        return 0;
    }
    change.snapshot = work->learned > 0 ? work->snapshot : NULL;
    if (work->learned > 0 || work->forget)
        machine_change_knowledge(machine, &change);
    if (work->buffers.meta.has_seq) {
        change.marks = machine->marks.mark;
        change.mark_count = machine->marks.count;
    }
    change.forget_commissioning = work->forget;
    change.commissioning = work->commissioning.buffer;
    change.commissioning_count = work->commissioning.count;
    change.snapshot_after = work->snapshot_after;
    episode_log_change(&work->events, &change);
    change.hours = work->effect;
    change.hour_count = work->effects;
    return machine_commit(work->registry, machine, &change, receipt, work->refusal);
}

/* Without a receipt that somebody else settles, waits here, and says so where it failed. */
static int keep(struct work *work, struct receipt *receipt)
{
    struct receipt own;
    struct receipt *taken = receipt ? receipt : &own;
    int r;

    *taken = (struct receipt){
        .learned = work->learned, .raised = work->raised, .began = work->began, .transport = transport_of(work)
    };
    r = queue(work, taken);
    return r == 0 && !receipt ? registry_settle(work->registry, &own, work->refusal) : r;
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

/* Nothing was promised but the verdicts, so where an anomaly was raised the disk is waited for here, whoever has a receipt: one that could
 * not be stored is not told, and the next buffer raises it anew. Nor is one that another buffer raised, which waits yet. Detection
 * goes on in either case. */
static int keep_judged(struct work *work, struct verdict *verdicts, size_t count)
{
    const bool told = waits(work);
    int r = keep(work, NULL);

    for (size_t i = 0; i < count && (!told || r != 0); i++)
        verdicts[i].anomaly = work->told;
    return r == REFUSAL_STORE || r == REFUSAL_DAMAGED ? 0 : r;
}

/* Nobody waits for the disk, so the sender will not send them again; where a commit fails, the numbers are needed beside what
 * the store has. Without memory for it one that comes again then is judged twice. */
static void note_judged(const struct work *work)
{
    const struct wire_meta *meta = &work->buffers.meta;
    const size_t numbers = !meta->has_seq ? 0 : work->stream ? 1 : work->count; /* a stream's are of messages */

    for (size_t i = 0; i < numbers; i++)
        (void)marks_apply(&work->machine->judged, meta->source, meta->boot, meta->seq + i, work->arrival->now.wall);
}

static int submit_entered(struct work *work, struct verdict *verdicts, size_t room, size_t *count,
                          struct receipt *receipt)
{
    int r = check_conflict(work->machine, work->refusal);

    if (r == 0)
        r = decode(work, &work->machine->settings);
    if (r == 0)
        r = context_check(work->machine, &work->buffers.meta, work->refusal);
    if (r == 0 && !work->arrival->dry_run)
        presence_silence(work->registry, work->machine, work->arrival->now.wall);
    if (r == 0)
        r = apply_all(work, verdicts, room);
    if (r != 0) {
        count_refused(work, r);
        machine_leave(work->machine);
        return r;
    }
    *count = work->count;
    if (work->arrival->dry_run) {
        machine_leave(work->machine);
        return 0;
    }
    count_work(work);
    if (work->learned > 0 || work->duplicates > 0)
        return keep(work, receipt);
    note_judged(work);
    return keep_judged(work, verdicts, *count < room ? *count : room);
}

/* A machine is made by its first buffer where a pattern says so, and only by one that has its shape. That all its values are the same is
 * then said of the machine. */
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
    if (arrival->encoding != ENCODING_RAW || is_message(arrival)) /* whose length tells nothing of a buffer's */
        return FORMAT_JSON;
    return arrival->input ? arrival->input->format : FORMAT_F32;
}

static void note_pending(const struct work *work)
{
    const struct arrival *arrival = work->arrival;
    struct pending_list *pending = work->registry->pending;
    struct machine *machine;

    pending_note(pending, arrival->id, arrival->topic, arrival->size, pending_format(arrival), arrival->now.wall);
    machine =
        registry_find(work->registry, arrival->id); /* another door may have made it, and found nothing to take out */
    if (!machine)
        return;
    machine_release(machine);
    pending_remove(pending, arrival->id);
}

static int enter_or_make(struct work *work)
{
    const struct arrival *arrival = work->arrival;
    int r = machine_enter(work->registry, arrival->id, &work->machine, work->refusal);

    if (r == REFUSAL_NO_MACHINE)
        r = make_by_pattern(work);
    if (r == REFUSAL_NO_MACHINE && arrival->topic)
        note_pending(work);
    return r;
}

int registry_submit(struct registry *registry, const struct arrival *arrival, struct verdict *verdicts, size_t room,
                    size_t *count, struct receipt *receipt, struct refusal *refusal)
{
    static const struct wire_meta unknown;
    struct arrival known = *arrival;
    struct refusal own = { 0 };
    struct work work = {
        .registry = registry, .arrival = &known, .refusal = refusal ? refusal : &own, .began = clock_ticks()
    };
    bool counted = false;
    int r;

    known.meta = arrival->meta ? arrival->meta : &unknown;
    if (receipt)
        *receipt = (struct receipt){ 0 };
    r = enter_or_make(&work);
    if (r == 0) {
        r = submit_entered(&work, verdicts, room, count, receipt);
        counted = r == REFUSAL_STORE || r == REFUSAL_DAMAGED; /* where the commit failed */
    }
    if (r > 0 && !counted)
        registry->refusals[r]++;
    wire_buffers_free(&work.buffers);
    episode_log_free(&work.events);
    commissioning_free(&work.commissioning);
    return r;
}
