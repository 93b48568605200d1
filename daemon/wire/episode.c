/* Assets' episodes; what accepting, maintenance, snapshots and relearning say and are told. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "wire/build.h"
#include "wire/document.h"
#include "wire/json.h"

/* --------------------------------------------------------------------------------------------------------- episodes */

/* What the anomalies of one episode come to. */
struct sum {
    const struct anomaly *first;
    int64_t to; /* 0 = open */
    bool open;
    int similarity;
    float distance;
    json_t *machines, *anomalies;
};

static bool is_listed(const json_t *machines, const char *machine)
{
    size_t i;
    json_t *value;

    json_array_foreach((json_t *)machines, i, value)
    {
        if (strcmp(json_string_value(value), machine) == 0)
            return true;
    }
    return false;
}

static void add(struct sum *sum, const struct anomaly *anomaly)
{
    sum->open = sum->open || anomaly->cleared == 0;
    sum->to = anomaly->cleared > sum->to ? anomaly->cleared : sum->to;
    sum->similarity = anomaly->similarity < sum->similarity ? anomaly->similarity : sum->similarity;
    sum->distance = anomaly->distance > sum->distance ? anomaly->distance : sum->distance;
    if (!is_listed(sum->machines, anomaly->machine))
        wire_append(&sum->machines, json_string(anomaly->machine));
    wire_append(&sum->anomalies, build_anomaly(anomaly));
}

static json_t *build_episode(const struct anomaly *anomalies, size_t count, const size_t *episode, size_t number)
{
    struct sum sum = { .first = anomalies, .similarity = 100, .machines = json_array(), .anomalies = json_array() };
    json_t *object = json_object();

    while (episode[sum.first - anomalies] != number) /* each number has one at least */
        sum.first++;
    for (size_t i = (size_t)(sum.first - anomalies); i < count; i++)
        if (episode[i] == number)
            add(&sum, &anomalies[i]);
    wire_put(&object, "asset", sum.first->asset[0] != '\0' ? wire_text(sum.first->asset) : json_null());
    wire_put(&object, "open", json_boolean(sum.open));
    wire_put(&object, "from", wire_time(sum.first->raised));
    wire_put(&object, "to", sum.open ? json_null() : wire_time(sum.to));
    wire_put(&object, "duration_s", sum.open ? json_null() : wire_figure((double)(sum.to - sum.first->raised) / 1000));
    wire_put(&object, "similarity", json_integer(sum.similarity));
    wire_put(&object, "distance", wire_figure((double)sum.distance));
    wire_put(&object, "machines", sum.machines);
    wire_put(&object, "anomalies", sum.anomalies);
    return object;
}

char *wire_episodes(const struct anomaly *anomalies, size_t count, const size_t *episode, size_t episodes, bool cut)
{
    json_t *page = json_object(), *array = json_array();

    for (size_t number = episodes; number-- > 0;)
        wire_append(&array, build_episode(anomalies, count, episode, number));
    wire_put(&page, "episodes", array);
    wire_put(&page, "cut", json_boolean(cut));
    return wire_dump(page);
}

/* ---------------------------------------------------------------------------------------------------------- accepting */

char *wire_accepted(const struct anomaly *anomaly, const struct accepted *accepted)
{
    json_t *object = build_anomaly(anomaly), *result = json_object();

    wire_put(&result, "buffers", json_integer(accepted->buffers));
    wire_put(&result, "strange", json_integer(accepted->strange));
    wire_put(&result, "similarity", json_integer(accepted->similarity));
    wire_put(&result, "still_strange", json_boolean(accepted->still_strange));
    wire_put(&object, "accepted", result);
    return wire_dump(object);
}

/* -------------------------------------------------------------------------------------------------------- maintenance */

/* Text for people. */
static int read_text(const char *name, const json_t *value, char *text, size_t size, struct refusal *refusal)
{
    const char *found = json_string_value(value);

    if (!found || found[0] == '\0' || !text_printable(found, size))
        return refuse(refusal, REFUSAL_RANGE, name, "%s is a text of 1 to %zu bytes", name, size - 1);
    snprintf(text, size, "%s", found);
    return 0;
}

static int read_until(const char *name, const json_t *value, int64_t now, struct mute *mute, struct refusal *refusal)
{
    const char *text = json_string_value(value);
    const int64_t most = LIMIT_MUTE_DAYS * INT64_C(86400000);
    uint64_t duration = 0;
    double seconds = json_number_value(value);

    if (mute->until != 0)
        return refuse(refusal, REFUSAL_RANGE, name, "either until or for, not both");
    if (strcmp(name, "until") == 0) {
        if (!text || clock_parse(text, &mute->until) != 0)
            return refuse(refusal, REFUSAL_RANGE, name, "until is RFC 3339, such as 2026-11-22T17:00:00Z");
    } else if (json_is_number(value) && seconds > 0 && seconds <= (double)most) {
        mute->until = now + (int64_t)(seconds * 1000);
    } else if (text && text_to_duration(text, &duration) && duration <= (uint64_t)most) {
        mute->until = now + (int64_t)duration;
    } else {
        return refuse_limit(refusal, REFUSAL_RANGE, name, LIMIT_MUTE_DAYS,
                            "for is seconds, or a text such as \"2h\"; at most %d days", LIMIT_MUTE_DAYS);
    }
    if (mute->until > now && mute->until - now <= most)
        return 0;
    return refuse_limit(refusal, REFUSAL_RANGE, name, LIMIT_MUTE_DAYS, "maintenance ends after now, and within %d days",
                        LIMIT_MUTE_DAYS);
}

static int read_then(const json_t *value, struct mute *mute, struct refusal *refusal)
{
    const char *text = json_string_value(value);

    for (uint32_t i = 0; text && i < MUTE_ENDS_COUNT; i++)
        if (strcmp(mute_end_name((enum mute_end)i), text) == 0) {
            mute->then = i;
            return 0;
        }
    return refuse(refusal, REFUSAL_RANGE, "then", "then is keep, enrich or relearn");
}

static int read_mute_member(const char *key, const json_t *value, int64_t now, struct mute *mute,
                            struct refusal *refusal)
{
    if (strcmp(key, "until") == 0 || strcmp(key, "for") == 0)
        return read_until(key, value, now, mute, refusal);
    if (strcmp(key, "who") == 0)
        return read_text(key, value, mute->who, sizeof(mute->who), refusal);
    if (strcmp(key, "why") == 0)
        return read_text(key, value, mute->why, sizeof(mute->why), refusal);
    if (strcmp(key, "then") == 0)
        return read_then(value, mute, refusal);
    return refuse(refusal, REFUSAL_UNKNOWN_FIELD, key, "maintenance has for or until, who, why and then");
}

static int check_mute(const struct mute *mute, struct refusal *refusal)
{
    if (mute->until == 0)
        return refuse(refusal, REFUSAL_RANGE, "for", "say how long: {\"for\": \"2h\", ...}, or until when");
    if (mute->who[0] == '\0')
        return refuse(refusal, REFUSAL_RANGE, "who", "say who works on the machine: {\"who\": \"...\", ...}");
    if (mute->why[0] == '\0')
        return refuse(refusal, REFUSAL_RANGE, "why", "say why: {\"why\": \"...\", ...}");
    return 0;
}

int wire_read_mute(const void *bytes, size_t size, int64_t now, struct mute *mute, struct refusal *refusal)
{
    struct mute result = { .then = MUTE_KEEP };
    const char *key;
    json_t *root, *value;
    int r = wire_load_object(bytes, size, &root, refusal);

    if (r != 0)
        return r;
    json_object_foreach(root, key, value)
    {
        r = read_mute_member(key, value, now, &result, refusal);
        if (r != 0)
            break;
    }
    json_decref(root);
    if (r == 0)
        r = check_mute(&result, refusal);
    if (r == 0)
        *mute = result;
    return r;
}

/* ---------------------------------------------------------------------------------------------------------- snapshots */

int wire_read_note(const void *bytes, size_t size, char note[SNAPSHOT_NOTE_SIZE], struct refusal *refusal)
{
    json_t *root, *value;
    int r = wire_load_object(bytes, size, &root, refusal);

    note[0] = '\0';
    if (r != 0)
        return r;
    value = json_object_get(root, "note");
    if (json_object_size(root) > (value ? 1 : 0))
        r = refuse(refusal, REFUSAL_UNKNOWN_FIELD, "note", "the body is {\"note\": text} and nothing else");
    else if (value)
        r = read_text("note", value, note, SNAPSHOT_NOTE_SIZE, refusal);
    json_decref(root);
    return r;
}

static json_t *build_snapshot(const struct snapshot *snapshot)
{
    json_t *object = json_object();

    wire_put(&object, "id", json_integer(snapshot->id));
    wire_put(&object, "taken", wire_time(snapshot->taken));
    wire_put(&object, "reason", wire_text(snapshot->reason));
    wire_put(&object, "note", snapshot->note[0] != '\0' ? wire_text(snapshot->note) : json_null());
    wire_put(&object, "bytes", json_integer(snapshot->size));
    wire_put(&object, "learned", snapshot->whole ? json_integer(snapshot->learned) : json_null());
    wire_put(&object, "sensitivity", snapshot->whole ? wire_float(snapshot->sensitivity) : json_null());
    wire_put(&object, "crc", snapshot->whole ? json_sprintf("%08x", snapshot->crc) : json_null());
    return object;
}

char *wire_snapshot(const struct snapshot *snapshot)
{
    return wire_dump(build_snapshot(snapshot));
}

char *wire_snapshots(const char *machine, const struct snapshot *snapshots, size_t count)
{
    json_t *page = json_object(), *array = json_array();

    for (size_t i = 0; i < count; i++)
        wire_append(&array, build_snapshot(&snapshots[i]));
    wire_put(&page, "machine", json_string(machine));
    wire_put(&page, "snapshots", array);
    return wire_dump(page);
}

/* --------------------------------------------------------------------------------------------------------- relearning */

static json_t *build_side(const struct relearned_side *side)
{
    json_t *object = json_object();

    wire_put(&object, "learned", json_integer(side->learned));
    wire_put(&object, "settled", wire_figure((double)side->settled));
    wire_put(&object, "states", json_integer(side->states));
    wire_put(&object, "false_alarms", wire_figure((double)side->false_alarms));
    wire_put(&object, "crc", json_sprintf("%08x", side->crc));
    wire_put(&object, "strange", json_integer(side->strange));
    wire_put(&object, "windows_below", json_integer(side->below));
    wire_put(&object, "distance", wire_figure(exp(side->log_distance)));
    wire_put(&object, "anomalies_found", json_integer(side->found));
    return object;
}

char *wire_relearned(const char *machine, const struct relearned *relearned)
{
    json_t *object = json_object();

    wire_put(&object, "machine", json_string(machine));
    wire_put(&object, "made", wire_time(relearned->made));
    wire_put(&object, "buffers", json_integer(relearned->buffers));
    wire_put(&object, "accepted", json_integer(relearned->accepted));
    wire_put(&object, "since", wire_time(relearned->since));
    wire_put(&object, "judged", json_integer(relearned->judged));
    wire_put(&object, "strange_to_both", json_integer(relearned->both));
    wire_put(&object, "windows", json_integer(relearned->windows));
    wire_put(&object, "anomaly_buffers", json_integer(relearned->anomaly_buffers));
    wire_put(&object, "in_force", build_side(&relearned->side[0]));
    wire_put(&object, "relearned", build_side(&relearned->side[1]));
    return wire_dump(object);
}
