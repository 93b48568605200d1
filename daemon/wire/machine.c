/* A machine as its page, its line of the list, and its state topic show it. */
#include "wire/build.h"
#include "wire/document.h"
#include "wire/json.h"

/* As users see it: a machine that is paused is 'paused', whatever it did before. */
static json_t *build_phase(const struct machine_view *view)
{
    return json_string(phase_name(view->settings.paused ? PHASE_PAUSED : (enum phase)view->state.phase));
}

static json_t *build_troubles(const struct machine_view *view)
{
    json_t *array = json_array();

    for (int i = 0; i < TROUBLES_COUNT; i++)
        if (view->troubles & 1u << i)
            wire_append(&array, json_string(trouble_name((enum trouble)i)));
    return array;
}

/* What follows from false_alarms. */
static json_t *build_alarm(const struct machine_view *view)
{
    const struct alarm_plan *plan = &view->plan;
    json_t *alarm = json_object();

    wire_put(&alarm, "ordered", json_boolean(plan->ordered));
    wire_put(&alarm, "windows", json_integer(plan->windows));
    wire_put(&alarm, "buffers", json_integer(plan->buffers));
    wire_put(&alarm, "within_s", plan->rise_ms > 0 ? wire_figure(plan->rise_ms / 1000) : json_null());
    wire_put(&alarm, "line", wire_figure((double)plan->line));
    wire_put(&alarm, "hold", wire_figure((double)plan->hold));
    wire_put(&alarm, "below", json_integer(view->state.memory.below));
    wire_put(&alarm, "kept", json_boolean(plan->kept));
    wire_put(&alarm, "extrapolated", json_boolean(plan->extrapolated));
    wire_put(&alarm, "words", wire_text(view->promise));
    return alarm;
}

static json_t *build_rules(const struct machine_view *view)
{
    json_t *rules = json_array();

    for (uint32_t i = 0; i < view->settings.rule.count; i++) {
        const struct rule_memory *memory = &view->state.memory.rule[i];
        json_t *rule = json_object();

        wire_put(&rule, "stage", json_string(view->rule_stage[i]));
        wire_put(&rule, "learned", json_integer(memory->learned));
        wire_put(&rule, "drift", wire_figure((double)memory->drift));
        wire_append(&rules, rule);
    }
    return rules;
}

static json_t *build_running(const struct machine_view *view)
{
    enum run_status status = (enum run_status)view->state.memory.run.status;

    return status == RUN_UNKNOWN ? json_null() : json_boolean(status == RUN_RUNS);
}

static json_t *build_mute(const struct mute *mute)
{
    json_t *object;

    if (mute->until == 0)
        return json_null();
    object = json_object();
    wire_put(&object, "since", wire_time(mute->since));
    wire_put(&object, "until", wire_time(mute->until));
    wire_put(&object, "who", wire_text(mute->who));
    wire_put(&object, "why", wire_text(mute->why));
    wire_put(&object, "then", json_string(mute_end_name((enum mute_end)mute->then)));
    return object;
}

/* Learning as far as it has come. */
static void put_learning(json_t **object, const struct learning *learning)
{
    wire_put(object, "learned", json_integer(learning->learned));
    wire_put(object, "needed", json_integer(learning->needed));
    wire_put(object, "settled", wire_figure((double)learning->settled));
    wire_put(object, "missing", wire_text(learning->missing));
}

/* ------------------------------------------------------------------------------------------------------ state topic */

/* Nulls where the last buffer was not judged, so that readers always find the same members. */
static void put_no_score(json_t **state, const struct verdict *last)
{
    wire_put(state, "status", wire_text(last->at != 0 ? verdict_name(last->status) : NULL));
    wire_put(state, "similarity", json_null());
    wire_put(state, "distance", json_null());
    wire_put(state, "average", json_null());
    wire_put(state, "note", wire_text(last->note));
}

char *wire_state(const struct machine_view *view)
{
    json_t *state = json_object();

    wire_put(&state, "machine", json_string(view->id));
    if (view->last.at != 0 && view->last.status == VERDICT_OK)
        wire_merge(&state, build_verdict(&view->last));
    else
        put_no_score(&state, &view->last);
    wire_put(&state, "anomaly", wire_id(view->state.anomaly));
    wire_put(&state, "phase", build_phase(view));
    put_learning(&state, &view->learning);
    wire_put(&state, "progress", wire_text(view->progress[0] != '\0' ? view->progress : NULL));
    wire_put(&state, "running", build_running(view));
    wire_put(&state, "troubles", build_troubles(view));
    wire_put(&state, "mute", build_mute(&view->mute));
    wire_put(&state, "sensitivity", wire_float(view->settings.sensitivity));
    wire_put(&state, "threshold", json_integer(view->settings.threshold));
    wire_put(&state, "seen", wire_time(view->state.last_seen));
    wire_put(&state, "online", json_boolean(view->online));
    return wire_dump(state);
}

/* -------------------------------------------------------------------------------------------------------- documents */

static json_t *build_origins(const struct settings *settings)
{
    static const char *const names[] = { "default", "file", "rest" };
    json_t *origins = json_object();

    for (size_t i = 0; i < SETTINGS_COUNT; i++)
        wire_put(&origins, settings_fields[i].key, json_string(names[settings->origin[i]]));
    return origins;
}

static json_t *build_knowledge(const struct machine_view *view)
{
    json_t *knowledge = json_object();

    wire_put(&knowledge, "crc", json_sprintf("%08x", view->knowledge_crc));
    wire_put(&knowledge, "bytes", json_integer(view->knowledge_size));
    return knowledge;
}

static json_t *build_numbers(const struct named_number *numbers, size_t count)
{
    json_t *object = json_object();

    for (size_t i = 0; i < count; i++)
        wire_put(&object, numbers[i].name, wire_figure(numbers[i].value));
    return object;
}

char *wire_named_numbers(const struct named_number *numbers, size_t count)
{
    return wire_dump(build_numbers(numbers, count));
}

static void put_times(json_t **machine, const struct strategy_state *state)
{
    wire_put(machine, "phase_since", wire_time(state->phase_since));
    wire_put(machine, "last_seen", wire_time(state->last_seen));
    wire_put(machine, "last_learn", wire_time(state->last_learn));
    wire_put(machine, "last_detect", wire_time(state->last_detect));
}

static json_t *build_machine(const struct machine_view *view, bool origins)
{
    json_t *machine = json_object();

    wire_put(&machine, "machine", json_string(view->id));
    wire_put(&machine, "created", wire_time(view->created));
    wire_put(&machine, "phase", build_phase(view));
    wire_put(&machine, "online", json_boolean(view->online));
    wire_put(&machine, "settings", build_settings(&view->settings, ORIGIN_DEFAULT));
    if (origins)
        wire_put(&machine, "origin", build_origins(&view->settings));
    put_learning(&machine, &view->learning);
    wire_put(&machine, "progress", wire_text(view->progress[0] != '\0' ? view->progress : NULL));
    wire_put(&machine, "running", build_running(view));
    wire_put(&machine, "troubles", build_troubles(view));
    wire_put(&machine, "mute", build_mute(&view->mute));
    wire_put(&machine, "relearned", json_boolean(view->relearned));
    wire_put(&machine, "alarm", build_alarm(view));
    wire_put(&machine, "rules", build_rules(view));
    wire_put(&machine, "anomaly", wire_id(view->state.anomaly));
    wire_put(&machine, "sensitivity", wire_float(view->settings.sensitivity));
    wire_put(&machine, "knowledge", view->knowledge_size > 0 ? build_knowledge(view) : json_null());
    wire_put(&machine, "drift", wire_figure((double)view->drift));
    put_times(&machine, &view->state);
    wire_put(&machine, "context", build_numbers(view->context, view->context_count));
    wire_put(&machine, "conflict", wire_text(view->conflict ? view->conflict_text : NULL));
    wire_put(&machine, "last", view->last.at != 0 ? build_verdict(&view->last) : json_null());
    return machine;
}

char *wire_machine(const struct machine_view *view, bool origins)
{
    return wire_dump(build_machine(view, origins));
}

char *wire_machines(const struct machine_view *views, size_t count, const char *next)
{
    json_t *page = json_object(), *array = json_array();

    for (size_t i = 0; i < count; i++)
        wire_append(&array, build_machine(&views[i], false));
    wire_put(&page, "machines", array);
    wire_put(&page, "next", wire_text(next));
    return wire_dump(page);
}
