/* A machine as its page, its line of the list, and its state topic show it. */
#include "wire/build.h"
#include "wire/document.h"
#include "wire/json.h"
#include "wire/write.h"

/* As users see it: a machine that is paused is 'paused', whatever it did before. */
static enum phase shown_phase(const struct machine_view *view)
{
    return view->settings.paused ? PHASE_PAUSED : (enum phase)view->state.phase;
}

static const char *phase_of(const struct machine_view *view)
{
    return phase_name(shown_phase(view));
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

static void write_word(struct writer *writer, const char *name, const char *text)
{
    writer_name(writer, name);
    writer_text(writer, text);
}

static void write_nothing(struct writer *writer, const char *name)
{
    writer_name(writer, name);
    writer_null(writer);
}

/* Nulls where the last buffer was not judged, so that readers always find the same members. */
static void write_no_score(struct writer *writer, const struct machine_view *view)
{
    const struct verdict *last = &view->last;

    write_word(writer, "status", last->at != 0 ? verdict_name(last->status) : NULL);
    write_nothing(writer, "similarity");
    write_nothing(writer, "distance");
    write_nothing(writer, "average");
    write_word(writer, "note", last->note);
    writer_name(writer, "anomaly");
    writer_id(writer, view->state.anomaly);
    write_word(writer, "phase", phase_of(view));
}

/* The score is of the last buffer, anomaly and phase are those of now. */
static void write_score(struct writer *writer, const struct machine_view *view)
{
    struct verdict now = view->last;

    if (now.at == 0 || now.status != VERDICT_OK) {
        write_no_score(writer, view);
        return;
    }
    now.anomaly = view->state.anomaly;
    now.phase = shown_phase(view);
    write_verdict(writer, &now);
}

static void write_learning(struct writer *writer, const struct learning *learning)
{
    writer_name(writer, "learned");
    writer_integer(writer, learning->learned);
    writer_name(writer, "needed");
    writer_integer(writer, learning->needed);
    writer_name(writer, "settled");
    writer_figure(writer, (double)learning->settled);
    write_word(writer, "missing", learning->missing);
}

static void write_troubles(struct writer *writer, const struct machine_view *view)
{
    writer_name(writer, "troubles");
    writer_open(writer, '[');
    for (int i = 0; i < TROUBLES_COUNT; i++)
        if (view->troubles & 1u << i)
            writer_text(writer, trouble_name((enum trouble)i));
    writer_close(writer, ']');
}

static void write_running(struct writer *writer, const struct machine_view *view)
{
    enum run_status status = (enum run_status)view->state.memory.run.status;

    writer_name(writer, "running");
    if (status == RUN_UNKNOWN)
        writer_null(writer);
    else
        writer_truth(writer, status == RUN_RUNS);
}

static void write_mute(struct writer *writer, const struct mute *mute)
{
    writer_name(writer, "mute");
    if (mute->until == 0) {
        writer_null(writer);
        return;
    }
    writer_open(writer, '{');
    writer_name(writer, "since");
    writer_time(writer, mute->since);
    writer_name(writer, "until");
    writer_time(writer, mute->until);
    write_word(writer, "who", mute->who);
    write_word(writer, "why", mute->why);
    write_word(writer, "then", mute_end_name((enum mute_end)mute->then));
    writer_close(writer, '}');
}

/* Each machine's, as often as once a second: written, not built. */
char *wire_state(const struct machine_view *view)
{
    struct writer writer = { 0 };

    writer_open(&writer, '{');
    write_word(&writer, "machine", view->id);
    write_score(&writer, view);
    write_learning(&writer, &view->learning);
    write_word(&writer, "progress", view->progress[0] != '\0' ? view->progress : NULL);
    write_running(&writer, view);
    write_troubles(&writer, view);
    write_mute(&writer, &view->mute);
    writer_name(&writer, "sensitivity");
    writer_float(&writer, view->settings.sensitivity);
    writer_name(&writer, "threshold");
    writer_integer(&writer, view->settings.threshold);
    writer_name(&writer, "seen");
    writer_time(&writer, view->state.last_seen);
    writer_name(&writer, "online");
    writer_truth(&writer, view->online);
    writer_close(&writer, '}');
    return writer_take(&writer);
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
    wire_put(&machine, "phase", json_string(phase_of(view)));
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
