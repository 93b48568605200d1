#include "record/settings.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/text.h"

const struct settings_field settings_fields[SETTINGS_COUNT] = {
#define SETTINGS_ROW(key, type, low, high, fallback, identity, help) \
    { #key, TYPE_##type, offsetof(struct settings, key), (low), (high), (fallback), (identity), (help) },
    SETTINGS(SETTINGS_ROW)
#undef SETTINGS_ROW
};

static const char *const profiles[] = { "small", "default", "large", NULL };
static const char *const formats[] = { "f32", "i16", "i16be", "json", NULL };
static const char *const layouts[] = { "interleaved", "planar", NULL };
static const char *const starts[] = { "commission", "auto", NULL };
static const char *const buffers[] = { "none", "features", "raw", NULL };

const char *const *settings_choices(const struct settings_field *field)
{
    static const char *const *const choices[] = { [TYPE_PROFILE] = profiles,
                                                  [TYPE_FORMAT] = formats,
                                                  [TYPE_LAYOUT] = layouts,
                                                  [TYPE_START] = starts,
                                                  [TYPE_BUFFERS] = buffers };

    return field->type >= TYPE_PROFILE ? choices[field->type] : NULL;
}

static void *member(struct settings *settings, const struct settings_field *field)
{
    return (char *)settings + field->offset;
}

static const void *member_of(const struct settings *settings, const struct settings_field *field)
{
    return (const char *)settings + field->offset;
}

static size_t size_of(const struct settings_field *field)
{
    switch (field->type) {
    case TYPE_NUMBER:
        return sizeof(float);
    case TYPE_DURATION:
        return sizeof(uint64_t);
    case TYPE_TEXT:
        return (size_t)field->high;
    case TYPE_LEARN:
        return sizeof(struct learn_goal);
    case TYPE_RUN:
        return sizeof(struct run_when);
    case TYPE_ORDER:
        return sizeof(struct alarm_order);
    case TYPE_RULES:
        return sizeof(struct rule_list);
    default:
        return sizeof(uint32_t);
    }
}

const struct settings_field *settings_find(const char *key)
{
    for (size_t i = 0; i < SETTINGS_COUNT; i++)
        if (strcmp(settings_fields[i].key, key) == 0)
            return &settings_fields[i];
    return NULL;
}

void settings_default(struct settings *settings)
{
    memset(settings, 0, sizeof(*settings));
    for (size_t i = 0; i < SETTINGS_COUNT; i++)
        if (settings_fields[i].fallback[0] != '\0')
            settings_set_text(settings, &settings_fields[i], settings_fields[i].fallback, ORIGIN_DEFAULT, NULL);
}

static void mark(struct settings *settings, const struct settings_field *field, enum settings_origin origin)
{
    settings->origin[field - settings_fields] = (uint8_t)origin;
}

static int refuse_range(const struct settings_field *field, struct refusal *refusal)
{
    return refuse(refusal, REFUSAL_RANGE, field->key, "%s is a number in %.12g..%.12g", field->key, field->low,
                  field->high);
}

static int refuse_whole(const struct settings_field *field, struct refusal *refusal)
{
    return refuse(refusal, REFUSAL_RANGE, field->key, "%s is a whole number in %.12g..%.12g", field->key, field->low,
                  field->high);
}

/* ------------------------------------------------------------------------------------------------------- from text */

static int set_choice(struct settings *settings, const struct settings_field *field, const char *text,
                      struct refusal *refusal)
{
    const char *const *choices = settings_choices(field);
    char allowed[128] = "";

    for (uint32_t i = 0; choices[i]; i++) {
        if (strcmp(choices[i], text) == 0) {
            *(uint32_t *)member(settings, field) = i;
            return 0;
        }
        snprintf(allowed + strlen(allowed), sizeof(allowed) - strlen(allowed), "%s%s", i > 0 ? ", " : "", choices[i]);
    }
    return refuse(refusal, REFUSAL_RANGE, field->key, "%s is one of %s", field->key, allowed);
}

static int set_boolean(struct settings *settings, const struct settings_field *field, const char *text,
                       struct refusal *refusal)
{
    bool yes = strcmp(text, "yes") == 0 || strcmp(text, "true") == 0;

    if (!yes && strcmp(text, "no") != 0 && strcmp(text, "false") != 0)
        return refuse(refusal, REFUSAL_RANGE, field->key, "%s is yes or no", field->key);
    *(uint32_t *)member(settings, field) = yes;
    return 0;
}

static int set_words(struct settings *settings, const struct settings_field *field, const char *text,
                     struct refusal *refusal)
{
    size_t size = size_of(field);

    if (!text_printable(text, size))
        return refuse(refusal, REFUSAL_RANGE, field->key, "%s is printable UTF-8 of less than %zu bytes", field->key,
                      size);
    if (field->identity && !text_ascii(text))
        return refuse(refusal, REFUSAL_RANGE, field->key,
                      "%s is ASCII, as firmware has it in its knowledge: m/s2, degC", field->key);
    memset(member(settings, field), 0, size);
    memcpy(member(settings, field), text, strlen(text));
    return 0;
}

static int set_duration(struct settings *settings, const struct settings_field *field, uint64_t milliseconds,
                        struct refusal *refusal)
{
    char low[DURATION_TEXT_SIZE], high[DURATION_TEXT_SIZE];

    if ((double)milliseconds < field->low || (double)milliseconds > field->high)
        return refuse(refusal, REFUSAL_RANGE, field->key, "%s is not in %s..%s", field->key,
                      text_of_duration((uint64_t)field->low, low), text_of_duration((uint64_t)field->high, high));
    *(uint64_t *)member(settings, field) = milliseconds;
    return 0;
}

enum { LEARN_MOST_BUFFERS = 10000000 };
static const uint64_t learn_longest = 31536000000; /* ms: a year */

static int set_learn(struct settings *settings, const struct settings_field *field, const char *text,
                     struct refusal *refusal)
{
    struct learn_goal goal = { .mode = LEARN_AUTO };

    if (strcmp(text, "auto") != 0) {
        goal.mode = text_to_unsigned(text, LEARN_MOST_BUFFERS, &goal.value) ? LEARN_BUFFERS : LEARN_DURATION;
        if ((goal.mode == LEARN_DURATION && (!text_to_duration(text, &goal.value) || goal.value > learn_longest ||
                                             strspn(text, "0123456789") == strlen(text))) ||
            goal.value == 0)
            return refuse(refusal, REFUSAL_RANGE, field->key,
                          "%s is auto, 1..%d buffers, or a duration up to 365d such as 24h", field->key,
                          LEARN_MOST_BUFFERS);
    }
    *(struct learn_goal *)member(settings, field) = goal;
    return 0;
}

int settings_set_text(struct settings *settings, const struct settings_field *field, const char *text,
                      enum settings_origin origin, struct refusal *refusal)
{
    uint64_t milliseconds, count;
    double number;
    int r;

    switch (field->type) {
    case TYPE_UNSIGNED:
        if (!text_to_unsigned(text, UINT32_MAX, &count))
            return refuse(refusal, REFUSAL_RANGE, field->key, "%s is a whole number in %.12g..%.12g", field->key,
                          field->low, field->high);
        return settings_set_number(settings, field, (double)count, origin, refusal);
    case TYPE_NUMBER:
        if (!text_to_number(text, &number))
            return refuse(refusal, REFUSAL_RANGE, field->key, "%s is a number in %.12g..%.12g", field->key, field->low,
                          field->high);
        return settings_set_number(settings, field, number, origin, refusal);
    case TYPE_DURATION:
        if (!text_to_duration(text, &milliseconds))
            return refuse(refusal, REFUSAL_RANGE, field->key, "%s is a duration such as 90s, 5m, 24h, 14d", field->key);
        r = set_duration(settings, field, milliseconds, refusal);
        break;
    case TYPE_BOOLEAN:
        r = set_boolean(settings, field, text, refusal);
        break;
    case TYPE_TEXT:
        r = set_words(settings, field, text, refusal);
        break;
    case TYPE_LEARN:
        r = set_learn(settings, field, text, refusal);
        break;
    case TYPE_RUN:
        r = run_when_read(field->key, text, member(settings, field), refusal);
        break;
    case TYPE_ORDER:
        r = alarm_order_read(field->key, text, member(settings, field), refusal);
        break;
    case TYPE_RULES:
        r = rule_list_read(field->key, text, member(settings, field), refusal);
        break;
    default:
        r = set_choice(settings, field, text, refusal);
        break;
    }
    if (r == 0)
        mark(settings, field, origin);
    return r;
}

/* ----------------------------------------------------------------------------------------------------- from numbers */

static int set_unsigned(struct settings *settings, const struct settings_field *field, double number,
                        struct refusal *refusal)
{
    if (!(number >= field->low && number <= field->high) || number != floor(number))
        return refuse_whole(field, refusal);
    *(uint32_t *)member(settings, field) = (uint32_t)number;
    return 0;
}

static const double LEAST = 1e-15; /* but 0: what is less is no rate to the engine */

static int set_float(struct settings *settings, const struct settings_field *field, double number,
                     struct refusal *refusal)
{
    float value;

    if (!(fabs(number) <= FLT_MAX) || (number != 0 && fabs(number) < LEAST))
        return refuse_range(field, refusal);
    value = (float)number + 0.0f;                                /* -0 would not be the knowledge's 0 */
    if (value < (float)field->low || value > (float)field->high) /* as floats: 1e-12 is a little less as one */
        return refuse_range(field, refusal);
    *(float *)member(settings, field) = value;
    return 0;
}

int settings_set_number(struct settings *settings, const struct settings_field *field, double number,
                        enum settings_origin origin, struct refusal *refusal)
{
    char text[32];
    int r;

    switch (field->type) {
    case TYPE_UNSIGNED:
        r = set_unsigned(settings, field, number, refusal);
        break;
    case TYPE_NUMBER:
        r = set_float(settings, field, number, refusal);
        break;
    case TYPE_DURATION:
        if (!(number >= 0 && number <= 1e12))
            return refuse_range(field, refusal);
        r = set_duration(settings, field, (uint64_t)llround(number * 1000), refusal);
        break;
    case TYPE_LEARN:
        snprintf(text, sizeof(text), "%.15g", number);
        r = set_learn(settings, field, text, refusal);
        break;
    default:
        return refuse(refusal, REFUSAL_RANGE, field->key, "%s is not a number", field->key);
    }
    if (r == 0)
        mark(settings, field, origin);
    return r;
}

/* ---------------------------------------------------------------------------------------------------------- reading */

double settings_number(const struct settings *settings, const struct settings_field *field)
{
    if (field->type == TYPE_NUMBER)
        return (double)*(const float *)member_of(settings, field);
    return *(const uint32_t *)member_of(settings, field);
}

/* The fewest digits that read back as the same float. */
static void number_text(float number, char text[SETTING_TEXT_SIZE])
{
    for (int digits = 6; digits <= 9; digits++) {
        snprintf(text, SETTING_TEXT_SIZE, "%.*g", digits, (double)number);
        if ((float)strtod(text, NULL) == number)
            return;
    }
}

static void learn_text(const struct learn_goal *goal, char text[SETTING_TEXT_SIZE])
{
    char duration[DURATION_TEXT_SIZE];

    if (goal->mode == LEARN_AUTO)
        snprintf(text, SETTING_TEXT_SIZE, "auto");
    else if (goal->mode == LEARN_BUFFERS)
        snprintf(text, SETTING_TEXT_SIZE, "%llu", (unsigned long long)goal->value);
    else
        snprintf(text, SETTING_TEXT_SIZE, "%s", text_of_duration(goal->value, duration));
}

const char *settings_text(const struct settings *settings, const struct settings_field *field,
                          char text[SETTING_TEXT_SIZE])
{
    const void *value = member_of(settings, field);
    char duration[DURATION_TEXT_SIZE];

    switch (field->type) {
    case TYPE_UNSIGNED:
        snprintf(text, SETTING_TEXT_SIZE, "%u", *(const uint32_t *)value);
        break;
    case TYPE_NUMBER:
        number_text(*(const float *)value, text);
        break;
    case TYPE_DURATION:
        snprintf(text, SETTING_TEXT_SIZE, "%s", text_of_duration(*(const uint64_t *)value, duration));
        break;
    case TYPE_BOOLEAN:
        snprintf(text, SETTING_TEXT_SIZE, "%s", *(const uint32_t *)value ? "yes" : "no");
        break;
    case TYPE_TEXT:
        snprintf(text, SETTING_TEXT_SIZE, "%s", (const char *)value);
        break;
    case TYPE_LEARN:
        learn_text(value, text);
        break;
    case TYPE_RUN:
        run_when_text(value, text, SETTING_TEXT_SIZE);
        break;
    case TYPE_ORDER:
        alarm_order_text(value, text, SETTING_TEXT_SIZE);
        break;
    case TYPE_RULES:
        rule_list_text(value, text, SETTING_TEXT_SIZE);
        break;
    default:
        snprintf(text, SETTING_TEXT_SIZE, "%s", settings_choices(field)[*(const uint32_t *)value]);
        break;
    }
    return text;
}

void settings_copy(struct settings *settings, const struct settings *from, const struct settings_field *field)
{
    size_t i = (size_t)(field - settings_fields);

    memcpy(member(settings, field), member_of(from, field), size_of(field));
    settings->origin[i] = from->origin[i];
}

bool settings_equal(const struct settings *a, const struct settings *b, const struct settings_field *field)
{
    const struct learn_goal *goal_a = member_of(a, field), *goal_b = member_of(b, field);

    if (field->type == TYPE_LEARN) /* has padding */
        return goal_a->mode == goal_b->mode && goal_a->value == goal_b->value;
    return memcmp(member_of(a, field), member_of(b, field), size_of(field)) == 0;
}

/* A rule that waits for what run_when leaves out, or that another one forestalls, was not meant so. */
static int check_rules(const struct settings *settings, struct refusal *refusal)
{
    const struct rule_list *list = &settings->rule;

    for (uint32_t i = 0; i < list->count; i++) {
        const struct condition *condition = &list->rule[i].condition, *run = &settings->run_when.condition;

        if (settings->run_when.mode == RUN_CONTEXT && strcmp(condition->name, run->name) == 0 &&
            conditions_contradict(condition, run))
            return refuse(refusal, REFUSAL_RANGE, "rule", "rule %u can never learn: it and run_when exclude each other",
                          i + 1);
        for (uint32_t j = 0; j < i; j++)
            if (conditions_equal(&list->rule[j].condition, condition))
                return refuse(refusal, REFUSAL_RANGE, "rule", "rules %u and %u have the same condition", j + 1, i + 1);
    }
    return 0;
}

int settings_check(const struct settings *settings, struct refusal *refusal)
{
    uint64_t numbers = (uint64_t)settings->buffer_size * settings->axes;

    if (settings->buffer_size == 0 || settings->axes == 0)
        return refuse(refusal, REFUSAL_RANGE, settings->buffer_size == 0 ? "buffer_size" : "axes",
                      "buffer_size and axes are both needed, and here they are %u x %u (0 = not known): set what is "
                      "missing for this machine, or in its [machine] section",
                      settings->buffer_size, settings->axes);
    if (numbers > LIMIT_NUMBERS)
        return refuse_limit(refusal, REFUSAL_RANGE, "buffer_size", LIMIT_NUMBERS,
                            "%u x %u is more than %d numbers in a buffer", settings->buffer_size, settings->axes,
                            LIMIT_NUMBERS);
    if (settings->clear < settings->threshold)
        return refuse(refusal, REFUSAL_RANGE, "clear", "clear %u is below threshold %u: it would never stay raised",
                      settings->clear, settings->threshold);
    return check_rules(settings, refusal);
}
