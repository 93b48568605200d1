/* Settings that are little sentences: when a machine runs, which false alarms are allowed, when to learn more. */
#ifndef HABIT_RECORD_CONDITION_H
#define HABIT_RECORD_CONDITION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/limits.h"

enum { CONTEXT_NAME_SIZE = 32 };

/* "temperature > 60": a named number that comes beside buffers, above or below a value. */
struct condition {
    char name[CONTEXT_NAME_SIZE];
    uint32_t above; /* 1: >, 0: < */
    double value;
};

/* "always", "level auto", "level > 0.2", "context.speed > 5" */
enum run_mode { RUN_ALWAYS, RUN_LEVEL_AUTO, RUN_LEVEL, RUN_CONTEXT };
struct run_when {
    uint32_t mode; /* enum run_mode */
    struct condition condition;
};

/* "1 per 90d", "off": false alarms that are ordered of a machine that stays as it is. */
struct alarm_order {
    uint32_t count; /* 0 = off: the bare threshold */
    uint64_t per;   /* ms */
};

/* "temperature > 60 for 10m : learn 50" */
struct rule {
    struct condition condition;
    uint64_t hold;    /* ms for which the condition must be true */
    uint32_t buffers; /* to learn then */
};

struct rule_list {
    uint32_t count;
    struct rule rule[LIMIT_RULES];
};

/* Read the forms above; several rules with commas between, "none" = no rule. Return 0, or a refusal about `key` with *value as it
 * was. */
int run_when_read(const char *key, const char *text, struct run_when *value, struct refusal *refusal);
int alarm_order_read(const char *key, const char *text, struct alarm_order *value, struct refusal *refusal);
int rule_list_read(const char *key, const char *text, struct rule_list *value, struct refusal *refusal);

/* The texts that those read back to the same value; cut where they do not fit. */
void run_when_text(const struct run_when *value, char *text, size_t size);
void alarm_order_text(const struct alarm_order *value, char *text, size_t size);
void rule_list_text(const struct rule_list *value, char *text, size_t size);

bool condition_holds(const struct condition *condition, double value);

bool conditions_equal(const struct condition *a, const struct condition *b);

/* Whether no number makes both true. */
bool conditions_contradict(const struct condition *a, const struct condition *b);

#endif
