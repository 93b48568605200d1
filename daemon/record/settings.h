/* The settings of one machine, and the one table they all come from: the configuration file, REST, defaults, printing and
 * documentation read it. A later source overrides an earlier one: default < file < rest. */
#ifndef HABIT_RECORD_SETTINGS_H
#define HABIT_RECORD_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "record/condition.h"

enum sample_format { FORMAT_F32, FORMAT_I16, FORMAT_I16BE, FORMAT_JSON };
enum sample_layout { LAYOUT_INTERLEAVED, LAYOUT_PLANAR };
enum buffers_mode { BUFFERS_NONE, BUFFERS_FEATURES, BUFFERS_RAW };
enum start_mode { START_COMMISSION, START_AUTO };
enum learn_mode { LEARN_AUTO, LEARN_BUFFERS, LEARN_DURATION };

/* How long to learn: until settled, a number of buffers, or a duration. */
struct learn_goal {
    uint32_t mode;  /* enum learn_mode */
    uint64_t value; /* buffers, or milliseconds; 0 for auto */
};

enum settings_origin { ORIGIN_DEFAULT, ORIGIN_FILE, ORIGIN_REST };

/* key, type, struct member, lowest, highest, default, part of the knowledge?, help
 * Lowest and highest are of the number; of TEXT highest is the size in bytes. */
#define SETTINGS(X)                                                                                                \
    X(buffer_size, UNSIGNED, 1, 4096, "", true, "samples in a buffer")                                             \
    X(axes, UNSIGNED, 1, 16, "", true, "values in a sample")                                                       \
    X(sampling_hz, NUMBER, 0, 1e7, "0", true, "samples per second; 0 = unknown")                                   \
    X(unit, TEXT, 0, 12, "", true, "of the values: g, mm/s, A")                                                    \
    X(scale, NUMBER, 1e-12, 1e12, "1", true, "unit per step of an int16 sample")                                   \
    X(profile, PROFILE, 0, 2, "default", true, "memory of the knowledge: small, default, large")                   \
    X(offset, NUMBER, -1e15, 1e15, "0", false, "added to int16 samples after scale")                               \
    X(format, FORMAT, 0, 3, "f32", false, "of raw buffers: f32, i16, i16be, json")                                 \
    X(layout, LAYOUT, 0, 1, "interleaved", false, "x0 y0 z0 x1 y1 z1 (interleaved) or x0 x1 y0 y1 z0 z1 (planar)") \
    X(sensitivity, NUMBER, 1e-6, 100, "1", false, "scales the distance; above 1 = more sensitive")                 \
    X(start, START, 0, 1, "commission", false, "commission: learn when told to; auto: with the first buffer")      \
    X(learn, LEARN, 0, 0, "auto", false, "auto = until settled, a number of buffers, or a duration")               \
    X(learn_min, UNSIGNED, 8, 1000000, "60", false, "buffers that learn = auto takes at the least")                \
    X(learn_max, DURATION, 60000, 31536000000, "14d", false, "after which learn = auto ends in any case")          \
    X(learn_every, DURATION, 0, 31536000000, "0", false, "at most one buffer is learned per interval")             \
    X(detect_every, DURATION, 0, 31536000000, "0", false, "at most one buffer is judged per interval")             \
    X(run_when, RUN, 0, 0, "always", false, "always, level auto, level > 0.2, context.speed > 5: else it stands")  \
    X(settle, DURATION, 0, 86400000, "0", false, "buffers so soon after a start are left out")                     \
    X(stopped_after, DURATION, 0, 31536000000, "0", false, "an event where it stands for so long; 0 = never")      \
    X(window, UNSIGNED, 1, 64, "10", false, "K: buffers judged together")                                          \
    X(threshold, UNSIGNED, 1, 100, "90", false, "raised when the average falls below")                             \
    X(clear, UNSIGNED, 1, 100, "93", false, "cleared when the average is at least this; not below threshold")      \
    X(false_alarms, ORDER, 0, 0, "1 per 90d", false, "ordered of a healthy machine; off = the bare threshold")     \
    X(rule, RULES, 0, 0, "none", false, "learn more on a condition: temperature > 60 for 10m : learn 50")          \
    X(context_ttl, DURATION, 1000, 31536000000, "15m", false, "context that is older is unknown")                  \
    X(drift_budget, NUMBER, 0.01, 1000, "1", false, "standard deviations that learning may move the baseline")     \
    X(silent_after, DURATION, 0, 31536000000, "0", false, "offline without a buffer for so long; 0 = learned")     \
    X(paused, BOOLEAN, 0, 1, "no", false, "buffers are counted, nothing else")                                     \
    X(store_buffers, BUFFERS, 0, 2, "raw", false, "none, features or raw: what is stored of buffers")              \
    X(name, TEXT, 0, 64, "", false, "plain text for people")                                                       \
    X(asset, TEXT, 0, 64, "", false, "what this measuring point belongs to")                                       \
    X(location, TEXT, 0, 64, "", false, "plain text for people")                                                   \
    X(labels, TEXT, 0, 256, "", false, "plain text for people and queries: line=3, hall=B")

enum settings_key {
#define SETTINGS_ENUM(key, type, low, high, fallback, identity, help) SETTING_##key,
    SETTINGS(SETTINGS_ENUM)
#undef SETTINGS_ENUM
        SETTINGS_COUNT
};

/* How a value is held: UNSIGNED and choices as uint32_t, NUMBER as float, DURATION as uint64_t ms, TEXT as char[]. */
enum settings_type {
    TYPE_UNSIGNED,
    TYPE_NUMBER,
    TYPE_DURATION,
    TYPE_BOOLEAN,
    TYPE_TEXT,
    TYPE_LEARN,
    TYPE_RUN,
    TYPE_ORDER,
    TYPE_RULES,
    TYPE_PROFILE, /* from here on: choices */
    TYPE_FORMAT,
    TYPE_LAYOUT,
    TYPE_START,
    TYPE_BUFFERS,
    SETTINGS_TYPES
};

struct settings {
    uint32_t buffer_size, axes;
    float sampling_hz;
    char unit[12];
    float scale;
    uint32_t profile;
    float offset;
    uint32_t format, layout;
    float sensitivity;
    uint32_t start;
    struct learn_goal learn;
    uint32_t learn_min;
    uint64_t learn_max, learn_every, detect_every;
    struct run_when run_when;
    uint64_t settle, stopped_after;
    uint32_t window, threshold, clear;
    struct alarm_order false_alarms;
    struct rule_list rule;
    uint64_t context_ttl;
    float drift_budget;
    uint64_t silent_after;
    uint32_t paused, store_buffers;
    char name[64], asset[64], location[64], labels[256];
    uint8_t origin[SETTINGS_COUNT]; /* enum settings_origin of each */
};

struct settings_field {
    const char *key;
    enum settings_type type;
    size_t offset;
    double low, high;
    const char *fallback; /* as in a configuration file */
    bool identity;        /* part of the knowledge: changing it needs initialize */
    const char *help;
};

extern const struct settings_field settings_fields[SETTINGS_COUNT];

/* The row of a key, or NULL. */
const struct settings_field *settings_find(const char *key);

/* The words of a choice, NULL at the end; NULL for other types. */
const char *const *settings_choices(const struct settings_field *field);

/* All defaults; geometry 0 x 0, which settings_check refuses. */
void settings_default(struct settings *settings);

/* Reads one value as in a configuration file ("256", "24h", "i16"). Returns 0, or a refusal with the setting unchanged. */
int settings_set_text(struct settings *settings, const struct settings_field *field, const char *text,
                      enum settings_origin origin, struct refusal *refusal);

/* The same for a number, UNSIGNED and NUMBER as is, DURATION and LEARN in seconds and buffers. */
int settings_set_number(struct settings *settings, const struct settings_field *field, double number,
                        enum settings_origin origin, struct refusal *refusal);

/* The text that settings_set_text reads back to the same value. */
enum { SETTING_TEXT_SIZE = 512 };
const char *settings_text(const struct settings *settings, const struct settings_field *field,
                          char text[SETTING_TEXT_SIZE]);

/* A number, for JSON, where the type is UNSIGNED or NUMBER. */
double settings_number(const struct settings *settings, const struct settings_field *field);

/* Takes value and origin of one field from another set. */
void settings_copy(struct settings *settings, const struct settings *from, const struct settings_field *field);

/* Whether two sets have the same value. */
bool settings_equal(const struct settings *a, const struct settings *b, const struct settings_field *field);

/* What no single value shows: geometry present, buffer not too large for a body, clear >= threshold,
 * rules that can come true. Returns 0 or a refusal. */
int settings_check(const struct settings *settings, struct refusal *refusal);

#endif
