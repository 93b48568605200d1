/* Structs to JSON text. Every function returns heap text (free()), NULL when memory ran out. */
#ifndef HABIT_WIRE_DOCUMENT_H
#define HABIT_WIRE_DOCUMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "record/anomaly.h"
#include "record/audit.h"
#include "record/hour.h"
#include "record/machine.h"
#include "record/mute.h"
#include "record/recent.h"
#include "record/relearned.h"
#include "record/snapshot.h"
#include "report/daily.h"
#include "report/group.h"
#include "report/history.h"

/* RFC 9457: type "urn:habit:problem:<type>", title, status, detail, field, limit. */
char *wire_problem(const struct refusal *refusal);

/* The answer of detect, learn and buffers (design: REST). Of a batch of `count` buffers the first `shown` verdicts:
 * {"machine":..., "buffers": count, "verdicts":[...]}. */
char *wire_verdicts(const char *machine, const struct verdict *verdicts, size_t shown, size_t count);

/* Answers to the lines of NDJSON, which count from 1: {"line":3, "machine":..., ...} as above; and where a line was refused
 * {"line":4, "machine":..., "status":"refused", "problem":{...}}. machine NULL = not known. */
char *wire_line_verdicts(size_t number, const char *machine, const struct verdict *verdicts, size_t shown,
                         size_t count);
char *wire_line_problem(size_t number, const char *machine, const struct refusal *refusal);

/* A line of NDJSON that POST /v1/buffers takes: {"machine":..., "time":..., "axes":3, "data":[...]}; with the anomaly that it raised, 0 =
 * it was learned. */
char *wire_stored(const char *machine, int64_t at, int64_t anomaly, uint32_t axes, const float *samples, size_t values);

/* The retained state topic: as detect's answer with learned, sensitivity, threshold, seen. */
char *wire_state(const struct machine_view *view);

/* {"temperature": 61.5}, as it is stored with an anomaly. */
char *wire_named_numbers(const struct named_number *numbers, size_t count);

/* What the engine made of one buffer, as it is stored where samples are not: time, similarity, distance, level and amplitude of each
 * axis, explanation. */
char *wire_features(const struct detection *detection, int64_t at);

/* The explanation array alone, as it is stored with an anomaly. */
char *wire_explanation(const struct detection *detection);

/* Settings and state of one machine. `origins` adds where each setting comes from. */
char *wire_machine(const struct machine_view *view, bool origins);

/* {"machines":[...], "next":"cursor"}; next NULL = last page. */
char *wire_machines(const struct machine_view *views, size_t count, const char *next);
char *wire_pendings(const struct pending *pendings, size_t count, const char *next);
char *wire_anomaly(const struct anomaly *anomaly);
char *wire_anomalies(const struct anomaly *anomalies, size_t count, int64_t next);

/* Payload of the anomaly topic. */
char *wire_anomaly_event(const struct anomaly *anomaly, enum anomaly_event event, int64_t at);

/* Payload of the event topic: a trouble began or ended. */
char *wire_trouble(const char *machine, const char *asset, enum trouble trouble, bool began, int64_t at);

/* Payload of the report topic: one report as in the list. */
char *wire_report(const struct daily_report *report);

/* Payload of the fleet's report topic; and {"groups":[...], "left_out":n}. */
char *wire_group(const struct group_report *group);
char *wire_groups(const struct group_report *groups, size_t count, size_t left_out);

/* {"machine":..., "points":[...]}; hours that were added up, each with the end of its step. */
char *wire_history(const char *machine, const struct history_point *points, size_t count);

/* {"machine":..., "next":count, "points":[...]}; next: `after` of the next question. */
char *wire_recent(const char *machine, const struct recent_point *points, size_t count, uint64_t total);

/* {"reports":[...], "next":"cursor"}; next NULL = last page. */
char *wire_reports(const struct daily_report *reports, size_t count, const char *next);

/* The same as CSV (RFC 4180): a header line, then a line a machine. */
char *wire_reports_csv(const struct daily_report *reports, size_t count);

/* {"audit":[...], "next":id}; and as CSV. */
char *wire_audits(const struct audit *audits, size_t count, int64_t next);
char *wire_audits_csv(const struct audit *audits, size_t count);

/* Names to numbers or texts, for info, readyz and small answers. */
struct wire_member {
    const char *name;
    enum { MEMBER_TEXT, MEMBER_NUMBER, MEMBER_INTEGER, MEMBER_BOOLEAN, MEMBER_NULL, MEMBER_RAW } type;
    const char *text; /* of TEXT; of RAW the JSON */
    double number;
    int64_t integer; /* also the boolean */
};
char *wire_object(const struct wire_member *members, size_t count);

static inline struct wire_member member_text(const char *name, const char *value)
{
    return (struct wire_member){ .name = name, .type = MEMBER_TEXT, .text = value };
}

static inline struct wire_member member_integer(const char *name, int64_t value)
{
    return (struct wire_member){ .name = name, .type = MEMBER_INTEGER, .integer = value };
}

static inline struct wire_member member_boolean(const char *name, bool value)
{
    return (struct wire_member){ .name = name, .type = MEMBER_BOOLEAN, .integer = value };
}

/* JSON NULL: null. */
static inline struct wire_member member_json(const char *name, const char *json)
{
    return (struct wire_member){ .name = name, .type = json ? MEMBER_RAW : MEMBER_NULL, .text = json };
}

/* Anomalies by asset, newest episode first: episode[] as episodes_group() made it. cut: there are more. */
char *wire_episodes(const struct anomaly *anomalies, size_t count, const size_t *episode, size_t episodes, bool cut);

/* The anomaly with what became of accepting it. */
char *wire_accepted(const struct anomaly *anomaly, const struct accepted *accepted);

char *wire_snapshot(const struct snapshot *snapshot);
char *wire_snapshots(const char *machine, const struct snapshot *snapshots, size_t count);
char *wire_relearned(const char *machine, const struct relearned *relearned);

/* {"for": "2h", "who": "...", "why": "...", "then": "keep"}; `until` comes out as wall ms. */
int wire_read_mute(const void *bytes, size_t size, int64_t now, struct mute *mute, struct refusal *refusal);

/* {"note": "..."} or {} */
int wire_read_note(const void *bytes, size_t size, char note[SNAPSHOT_NOTE_SIZE], struct refusal *refusal);

/* What was said on the topics anomaly and event of a machine. False where it is neither. */
struct wire_said {
    char machine[MACHINE_ID_SIZE];
    char event[32], state[16]; /* raised, worsened, ...; or the trouble, with began or ended */
    char meaning[160];         /* of the trouble, for people */
    char reason[128];          /* the first of the explanation; "" = none */
    int64_t id;                /* of the anomaly */
    int similarity;
    double distance;
};
bool wire_read_said(const char *payload, struct wire_said *said);

/* ---- settings */

/* Applies a JSON object of settings. Every unknown key, wrong type or range is refused naming the key, with *settings
 * unchanged. A null value takes the field from `base` again (PATCH). `origin` marks what was set. */
int wire_read_settings(const void *bytes, size_t size, struct settings *settings, const struct settings *base,
                       enum settings_origin origin, struct refusal *refusal);

/* JSON object of the settings whose origin is at least `least`: ORIGIN_REST for what the store keeps. */
char *wire_settings(const struct settings *settings, enum settings_origin least);

/* {"token": "..."}: its text into room bytes. */
int wire_read_token(const void *bytes, size_t size, char *text, size_t room, struct refusal *refusal);

/* {"gateway": "..."} */
int wire_read_gateway(const void *bytes, size_t size, char *text, size_t room, struct refusal *refusal);

/* {"sensitivity": 1.1} */
int wire_read_sensitivity(const void *bytes, size_t size, float *sensitivity, struct refusal *refusal);

#endif
