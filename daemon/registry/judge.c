/* What becomes of one buffer: learned, judged, left out, or known already. */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "base/log.h"
#include "registry/work.h"
#include "report/days.h"

struct hour *work_hour(const struct work *work)
{
    return machine_hour(work->machine, work->registry->store, work->counted);
}

struct hour *work_effect(struct work *work)
{
    int64_t start = machine_hour_start(work->machine, work->counted);
    struct hour *hour = work->effects > 0 ? &work->effect[work->effects - 1] : NULL;

    if (hour && (hour->start == start || work->effects == HOURS_PENDING))
        return hour;
    hour = &work->effect[work->effects++];
    *hour = (struct hour){ .start = start, .similarity_min = 101 };
    return hour;
}

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

/* All axes together: their mean level, and the root of their powers. */
static void measure_size(const struct detection *detection, double *level, double *amplitude)
{
    double sum = 0, power = 0;

    for (size_t i = 0; i < detection->axes; i++) {
        sum += (double)detection->level[i];
        power += (double)detection->amplitude[i] * (double)detection->amplitude[i];
    }
    *level = sum / detection->axes;
    *amplitude = sqrt(power);
}

static void keep_recent(struct work *work, const struct verdict *verdict, double level, double amplitude)
{
    const struct recent_point point = { .at = work->at,
                                        .distance = verdict->detection.distance,
                                        .average_distance = verdict->average.known ? verdict->average.distance : 0,
                                        .level = (float)level,
                                        .amplitude = (float)amplitude,
                                        .similarity = verdict->detection.similarity,
                                        .average_similarity = verdict->average.similarity };

    recent_add(work->machine, &point);
}

static void count_detection(struct work *work, struct hour *hour, const struct verdict *verdict, int64_t since)
{
    const struct detection *detection = &verdict->detection;
    struct machine *machine = work->machine;
    double level, amplitude;

    work->detected++;
    hour->detected++;
    hour->below += detection->similarity < machine->settings.threshold;
    hour->similarity_sum += detection->similarity;
    hour->log_distance_sum += log((double)detection->distance);
    measure_size(detection, &level, &amplitude);
    hour->level_sum += level;
    hour->amplitude_sum += amplitude;
    keep_recent(work, verdict, level, amplitude);
    if (detection->similarity < hour->similarity_min)
        hour->similarity_min = detection->similarity;
    if (machine->state.anomaly != 0 && since != 0 && work->steady > since) /* a long silence is not time in anomaly */
        hour->anomaly_ms += (uint64_t)(work->steady - since < HOUR_MS ? work->steady - since : HOUR_MS);
}

/* An axis that is strange and does not move is dead; one that never moved is normal so. */
static void note_sensor(struct machine *machine, const struct detection *detection)
{
    trouble_sensor(&machine->state, TROUBLE_DEAD, detection->constant != 0 && detection->similarity < HABIT_THRESHOLD);
    trouble_sensor(&machine->state, TROUBLE_CLIPPED, detection->clipped != 0);
}

static int judge_one(struct work *work, const float *samples, size_t index, struct verdict *verdict)
{
    struct machine *machine = work->machine;
    struct hour *hour = work_hour(work);
    size_t values = (size_t)machine->settings.buffer_size * machine->settings.axes;
    int64_t since = machine->state.last_detect;
    struct habit_result result;
    enum anomaly_event event;
    int64_t began = clock_ticks();
    int status = habit_detect(&machine->engine, samples, values, &result);

    histogram_observe(&work->registry->detect_duration, &histogram_microseconds, clock_ticks() - began);
    if (status == HABIT_ENOTREADY) {
        not_ready(verdict);
        hour->not_ready++;
        return 0;
    }
    if (status != HABIT_OK)
        return work_refuse_engine(work, status, index);
    verdict->status = VERDICT_OK;
    describe_detection(&result, machine->settings.axes, &verdict->detection);
    judge_window(machine, &machine->window, &result, &verdict->average);
    suspects_note(machine, samples, &verdict->detection, result.score,
                  verdict->average.known && verdict->average.similarity < machine->settings.threshold, work->at);
    shadow_judge(machine, samples, &result, &verdict->average, work->steady);
    count_detection(work, hour, verdict, since);
    note_sensor(machine, &verdict->detection);
    event =
        strategy_judged(&machine->settings, &machine->state, machine_plan(machine), &verdict->average, work->steady);
    if (event == ANOMALY_NONE)
        return 0;
    if (event == ANOMALY_RAISED) {
        work_effect(work)->anomalies++;
        work->raised++;
    }
    return episode_event(machine, work->registry->store, event, &verdict->average, &verdict->detection, work->at,
                         &work->events);
}

static void leave_out(struct work *work, enum strategy_action action, struct verdict *verdict)
{
    struct hour *hour = work_hour(work);

    verdict->status = VERDICT_IDLE;
    *(action == ACTION_SKIP ? &hour->skipped : &hour->idle) += 1;
}

static int note_sequence(struct work *work, size_t index)
{
    const struct wire_meta *meta = &work->buffers.meta;
    int r;

    if (!meta->has_seq || work->stream)
        return 0;
    r = marks_apply(&work->machine->marks, meta->source, meta->boot, meta->seq + index, work->arrival->now.wall);
    return r < 0 ? refuse_fault(work->refusal, r) : 0;
}

static bool is_duplicate(const struct work *work, size_t index)
{
    const struct wire_meta *meta = &work->buffers.meta;

    return meta->has_seq && !work->stream &&
           marks_applied(&work->machine->marks, meta->source, meta->boot, meta->seq + index);
}

/* Judges without a trace. */
static int try_one(struct work *work, const float *samples, size_t index, struct verdict *verdict)
{
    struct machine *machine = work->machine;
    struct habit_window window = machine->window;
    struct habit_result result;
    int status = habit_detect(&machine->engine, samples, (size_t)machine->settings.buffer_size * machine->settings.axes,
                              &result);

    if (status == HABIT_OK) {
        describe_detection(&result, machine->settings.axes, &verdict->detection);
        judge_window(machine, &window, &result, &verdict->average);
    } else if (status == HABIT_ENOTREADY) {
        not_ready(verdict);
    } else {
        return work_refuse_engine(work, status, index);
    }
    return 0;
}

/* ----------------------------------------------------------------------------------------------------------- decisions */

/* A sensor whose range is too small is noticed while there is time to do something about it. */
static int learn_one(struct work *work, const float *samples, size_t index, struct verdict *verdict)
{
    struct machine *machine = work->machine;
    float drift = 0, moved = 0;
    int r;

    habit_drift(&machine->engine, &drift);
    trouble_sensor(&machine->state, TROUBLE_DEAD, false); /* the engine refuses to learn dead ones */
    r = work_learn(work, samples, index, machine->settings.drift_budget - drift, verdict, &moved);
    if (r == 0)
        trouble_sensor(&machine->state, TROUBLE_CLIPPED, work->clipped);
    return r;
}

/* What the rule's own budget does not allow is not learned, but judged like any other buffer. */
static int learn_by_rule(struct work *work, const float *samples, size_t index, struct verdict *verdict)
{
    struct machine *machine = work->machine;
    int rule = rules_wanting(&machine->settings, &machine->state);
    float moved = 0;
    int r = work_learn(work, samples, index, rules_budget(&machine->settings, &machine->state, rule), verdict, &moved);

    if (r == REFUSAL_DRIFT) {
        log_warning("machine %s: rule %d learns no more: its drift budget is used up", machine->id, rule + 1);
        rules_spend(&machine->state, rule);
        return judge_one(work, samples, index, verdict);
    }
    if (r == 0 && rules_learned(&machine->settings, &machine->state, rule, moved)) {
        log_info("machine %s: rule %d has learned its buffers", machine->id, rule + 1);
        machine_clear_window(machine); /* its scores are of the knowledge before */
    }
    return r;
}

/* rms around the mean, of all axes together. */
static float level_of(const float *samples, size_t count, size_t axes)
{
    double total = 0;

    for (size_t axis = 0; axis < axes; axis++) {
        double mean = 0, square = 0;

        for (size_t i = 0; i < count; i++)
            mean += (double)samples[i * axes + axis];
        mean /= (double)count;
        for (size_t i = 0; i < count; i++) {
            double off = (double)samples[i * axes + axis] - mean;

            square += off * off;
        }
        total += square / (double)count;
    }
    return (float)sqrt(total);
}

/* What was learned in this phase was a machine that stood. Where it had learned before, that is not thrown away with it. */
static void forget_standing(struct work *work)
{
    struct machine *machine = work->machine;
    struct habit_progress progress = { 0 };

    habit_status(&machine->engine, &progress);
    if (progress.learned == machine->state.phase_learned) {
        log_notice("machine %s: what it learned so far was standing still: it begins anew", machine->id);
        work_forget(work);
    } else {
        log_warning("machine %s: the last %u buffers that it learned were standing still: habit snapshots %s has its "
                    "knowledge of before",
                    machine->id, machine->state.phase_learned, machine->id);
    }
}

/* Running or standing, as run_when says. */
static enum run_verdict look(struct work *work, const float *samples)
{
    struct machine *machine = work->machine;
    const struct settings *settings = &machine->settings;
    bool by_level = settings->run_when.mode == RUN_LEVEL || settings->run_when.mode == RUN_LEVEL_AUTO;
    struct sight sight = { .at = work->steady, .context = machine->context, .context_count = machine->context_count };
    struct run_result run;

    if (by_level)
        sight.level = level_of(samples, settings->buffer_size, settings->axes);
    run = run_see(settings, &machine->state, &sight);
    work_hour(work)->starts += run.started;
    work_hour(work)->running_ms += run.running_ms;
    rules_see(settings, &machine->state, &sight);
    trouble_context(&machine->state, run.verdict == RUN_NOT_KNOWN);
    if (run.mistaken && machine->state.phase_learned > 0)
        forget_standing(work);
    return run.verdict;
}

/* Why a buffer is of a maintenance, whenever it comes: of one that lasts, or of the last one; NULL = it is not. */
static const char *muted_by(const struct work *work)
{
    const struct machine *machine = work->machine;

    if (work->arrival->intent == INTENT_LEARN)
        return NULL;
    if (machine->mute && work->steady >= machine->mute->since)
        return "muted for maintenance, see `mute` of the machine's page: nothing is learned, counted or raised";
    if (work->steady >= machine->mended_from && work->steady < machine->mended_until)
        return "it was measured during a maintenance that is over: nothing is learned, counted or raised";
    return NULL;
}

/* By hand a buffer is judged, for whoever works on the machine, but nothing remembers it. */
static int act_muted(struct work *work, const float *samples, size_t index, struct verdict *verdict)
{
    strategy_seen(&work->machine->state, work->steady, work->now);
    if (work->arrival->intent == INTENT_DETECT)
        return try_one(work, samples, index, verdict);
    leave_out(work, ACTION_IDLE, verdict);
    return 0;
}

static int act(struct work *work, const float *samples, size_t index, struct verdict *verdict)
{
    static const enum strategy_wish wishes[] = {
        [INTENT_BUFFER] = WISH_AUTOMATIC, [INTENT_LEARN] = WISH_LEARN, [INTENT_DETECT] = WISH_DETECT
    };
    struct machine *machine = work->machine;
    enum strategy_action action;
    enum run_verdict running;

    verdict->note = muted_by(work);
    if (verdict->note)
        return act_muted(work, samples, index, verdict);
    running = look(work, samples);
    action = strategy_decide(&machine->settings, &machine->state, wishes[work->arrival->intent], running, work->steady,
                             &verdict->note);
    if (work->timed && machine->state.last_measured != 0)
        trouble_rate(&machine->settings, &machine->state, work->steady - machine->state.last_measured);
    strategy_seen(&machine->state, work->steady, work->now);
    switch (action) {
    case ACTION_LEARN:
        return learn_one(work, samples, index, verdict);
    case ACTION_LEARN_BY_RULE:
        return learn_by_rule(work, samples, index, verdict);
    case ACTION_DETECT:
        return judge_one(work, samples, index, verdict);
    default:
        leave_out(work, action, verdict);
        return 0;
    }
}

/* What every verdict says, whatever became of the buffer. How far learning is costs as much as half a detect: only where it is said. */
static void complete(const struct work *work, struct verdict *verdict)
{
    struct machine *machine = work->machine;

    if (verdict->status == VERDICT_NOT_READY)
        machine_learning(machine, NULL, &verdict->learning);
    verdict->phase = strategy_phase(&machine->settings, &machine->state);
    verdict->anomaly = machine->state.anomaly;
    verdict->sensitivity = machine->settings.sensitivity;
    verdict->threshold = machine->settings.threshold;
    verdict->at = work->at;
}

/* Marks of the row that say how far its time can be believed. */
static void count_time(const struct work *work, struct hour *hour)
{
    hour->late += work->counted != work->at;
    hour->untrusted += work->arrival->now.doubtful;
    hour->phase = 1 + (uint32_t)strategy_phase(&work->machine->settings, &work->machine->state);
}

int work_apply(struct work *work, size_t index, struct verdict *verdict)
{
    const float *samples = work->samples + index * work->stride;
    int r = 0;

    memset(verdict, 0, sizeof(*verdict));
    if (is_duplicate(work, index)) {
        verdict->status = VERDICT_DUPLICATE;
        work->duplicates++;
        work_hour(work)->duplicates++;
    } else {
        r = act(work, samples, index, verdict);
        if (r == 0)
            r = note_sequence(work, index);
    }
    if (r != 0)
        return r;
    count_time(work, work_hour(work));
    complete(work, verdict);
    work->verdicts[verdict->status]++;
    if (verdict->status != VERDICT_DUPLICATE) /* which is no news of the machine */
        work->last = *verdict;
    return 0;
}

int work_try(struct work *work, size_t index, struct verdict *verdict)
{
    int r;

    memset(verdict, 0, sizeof(*verdict));
    r = try_one(work, work->samples + index * work->stride, index, verdict);
    if (r == 0)
        complete(work, verdict);
    return r;
}
