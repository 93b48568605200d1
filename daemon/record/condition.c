#include "record/condition.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

enum { WORD_SIZE = 65, MOST_ALARMS = 1000, MOST_LEARNED = 100000 };
static const uint64_t shortest_order = 3600000, longest_order = 315360000000; /* ms: an hour, ten years */
static const uint64_t longest_hold = 2592000000;                              /* ms: 30 days */

static const char run_forms[] = "always, level auto, level > NUMBER, or context.NAME > NUMBER (or <)";
static const char rule_forms[] =
    "NAME > NUMBER for DURATION : learn COUNT, such as temperature > 60 for 10m : learn 50 "
    "(or <)";

/* ----------------------------------------------------------------------------------------------------------- reading */

/* The next word; commas and colons are words of their own. "" at the end, or where one is too long to be any of ours. */
static void next_word(const char **text, char word[WORD_SIZE])
{
    size_t length;

    *text += strspn(*text, " ");
    length = strcspn(*text, " ,:");
    if (length == 0 && **text != '\0')
        length = 1;
    snprintf(word, WORD_SIZE, "%.*s", length < WORD_SIZE ? (int)length : 0, *text);
    *text += length;
}

static bool next_is(const char **text, const char *expected)
{
    char word[WORD_SIZE];

    next_word(text, word);
    return strcmp(word, expected) == 0;
}

static bool at_end(const char *text)
{
    return text[strspn(text, " ")] == '\0';
}

static bool name_valid(const char *name)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";

    return name[0] != '\0' && strlen(name) < CONTEXT_NAME_SIZE && name[strspn(name, allowed)] == '\0';
}

/* "> 60", behind a name */
static bool read_comparison(const char **text, struct condition *condition)
{
    char word[WORD_SIZE];

    next_word(text, word);
    condition->above = word[0] == '>';
    if (strcmp(word, ">") != 0 && strcmp(word, "<") != 0)
        return false;
    next_word(text, word);
    return text_to_number(word, &condition->value);
}

static bool set_name(struct condition *condition, const char *name)
{
    if (!name_valid(name))
        return false;
    snprintf(condition->name, sizeof(condition->name), "%.*s", CONTEXT_NAME_SIZE - 1, name);
    return true;
}

/* "level auto" */
static bool is_level_auto(const char *subject, const char *rest)
{
    return strcmp(subject, "level") == 0 && next_is(&rest, "auto") && at_end(rest);
}

static bool read_run_condition(const char *subject, const char *text, struct run_when *run)
{
    static const char prefix[] = "context.";

    if (strcmp(subject, "level") == 0)
        run->mode = RUN_LEVEL;
    else if (strncmp(subject, prefix, strlen(prefix)) == 0 && set_name(&run->condition, subject + strlen(prefix)))
        run->mode = RUN_CONTEXT;
    else
        return false;
    return read_comparison(&text, &run->condition) && at_end(text);
}

int run_when_read(const char *key, const char *text, struct run_when *value, struct refusal *refusal)
{
    struct run_when run; /* as bytes, padding too: so values are compared */
    char subject[WORD_SIZE];
    const char *rest = text;

    memset(&run, 0, sizeof(run));
    next_word(&rest, subject);
    if (is_level_auto(subject, rest))
        run.mode = RUN_LEVEL_AUTO;
    else if ((strcmp(subject, "always") != 0 || !at_end(rest)) && !read_run_condition(subject, rest, &run))
        return refuse(refusal, REFUSAL_RANGE, key, "%s is %s", key, run_forms);
    if (run.mode == RUN_LEVEL && run.condition.value < 0)
        return refuse(refusal, REFUSAL_RANGE, key, "%s: a level, the rms around the mean, is never below 0", key);
    memcpy(value, &run, sizeof(run));
    return 0;
}

int alarm_order_read(const char *key, const char *text, struct alarm_order *value, struct refusal *refusal)
{
    struct alarm_order order;
    char word[WORD_SIZE];
    const char *rest = text;
    uint64_t count = 0;

    memset(&order, 0, sizeof(order));
    next_word(&rest, word);
    if (strcmp(word, "off") == 0 && at_end(rest)) {
        memcpy(value, &order, sizeof(order));
        return 0;
    }
    if (!text_to_unsigned(word, MOST_ALARMS, &count) || count == 0 || !next_is(&rest, "per"))
        return refuse(refusal, REFUSAL_RANGE, key, "%s is off, or COUNT per DURATION, such as 1 per 90d", key);
    next_word(&rest, word);
    if (!text_to_duration(word, &order.per) || order.per < shortest_order || order.per > longest_order || !at_end(rest))
        return refuse(refusal, REFUSAL_RANGE, key, "%s: the duration is 1h..3650d, such as 1 per 90d", key);
    order.count = (uint32_t)count;
    memcpy(value, &order, sizeof(order));
    return 0;
}

static bool read_rule(const char **text, struct rule *rule)
{
    char word[WORD_SIZE];
    uint64_t count;

    next_word(text, word);
    if (!set_name(&rule->condition, word) || !read_comparison(text, &rule->condition))
        return false;
    next_word(text, word);
    if (strcmp(word, "for") == 0) {
        next_word(text, word);
        if (!text_to_duration(word, &rule->hold) || rule->hold > longest_hold)
            return false;
        next_word(text, word);
    }
    if (strcmp(word, ":") != 0 || !next_is(text, "learn"))
        return false;
    next_word(text, word);
    if (!text_to_unsigned(word, MOST_LEARNED, &count) || count == 0)
        return false;
    rule->buffers = (uint32_t)count;
    return true;
}

static int refuse_rule(const char *key, uint32_t number, struct refusal *refusal)
{
    return refuse(refusal, REFUSAL_RANGE, key, "%s %u is not %s; DURATION is at most 30d, COUNT 1..%d", key, number,
                  rule_forms, MOST_LEARNED);
}

int rule_list_read(const char *key, const char *text, struct rule_list *value, struct refusal *refusal)
{
    struct rule_list list;
    const char *rest = text;

    memset(&list, 0, sizeof(list));
    if (strcmp(text, "none") == 0 || at_end(text)) {
        memcpy(value, &list, sizeof(list));
        return 0;
    }
    do {
        if (list.count == LIMIT_RULES)
            return refuse_limit(refusal, REFUSAL_RANGE, key, LIMIT_RULES, "more than %d rules", LIMIT_RULES);
        if (!read_rule(&rest, &list.rule[list.count]))
            return refuse_rule(key, list.count + 1, refusal);
        list.count++;
    } while (!at_end(rest) && next_is(&rest, ","));
    if (!at_end(rest))
        return refuse_rule(key, list.count, refusal);
    memcpy(value, &list, sizeof(list));
    return 0;
}

/* ----------------------------------------------------------------------------------------------------------- writing */

enum { NUMBER_SIZE = 32 };

/* The fewest digits that read back as the same number. */
static const char *number_text(double number, char text[NUMBER_SIZE])
{
    for (int digits = 6; digits <= 17; digits++) {
        snprintf(text, NUMBER_SIZE, "%.*g", digits, number);
        if (strtod(text, NULL) == number)
            break;
    }
    return text;
}

void run_when_text(const struct run_when *value, char *text, size_t size)
{
    static const char *const plain[] = { [RUN_ALWAYS] = "always", [RUN_LEVEL_AUTO] = "level auto" };
    const struct condition *condition = &value->condition;
    char number[NUMBER_SIZE];

    if (value->mode <= RUN_LEVEL_AUTO)
        snprintf(text, size, "%s", plain[value->mode]);
    else
        snprintf(text, size, "%s%s %c %s", value->mode == RUN_CONTEXT ? "context." : "level", condition->name,
                 condition->above ? '>' : '<', number_text(condition->value, number));
}

void alarm_order_text(const struct alarm_order *value, char *text, size_t size)
{
    char duration[DURATION_TEXT_SIZE];

    if (value->count == 0)
        snprintf(text, size, "off");
    else
        snprintf(text, size, "%u per %s", value->count, text_of_duration(value->per, duration));
}

void rule_list_text(const struct rule_list *value, char *text, size_t size)
{
    snprintf(text, size, "%s", value->count > 0 ? "" : "none");
    for (uint32_t i = 0; i < value->count; i++) {
        const struct rule *rule = &value->rule[i];
        char number[NUMBER_SIZE], duration[DURATION_TEXT_SIZE];
        size_t used = strlen(text);

        snprintf(text + used, size - used, "%s%s %c %s for %s : learn %u", i > 0 ? ", " : "", rule->condition.name,
                 rule->condition.above ? '>' : '<', number_text(rule->condition.value, number),
                 text_of_duration(rule->hold, duration), rule->buffers);
    }
}

/* ------------------------------------------------------------------------------------------------------------ meaning */

bool condition_holds(const struct condition *condition, double value)
{
    return condition->above ? value > condition->value : value < condition->value;
}

bool conditions_equal(const struct condition *a, const struct condition *b)
{
    return strcmp(a->name, b->name) == 0 && a->above == b->above && a->value == b->value;
}

bool conditions_contradict(const struct condition *a, const struct condition *b)
{
    const struct condition *above = a->above ? a : b, *below = a->above ? b : a;

    return a->above != b->above && above->value >= below->value;
}
