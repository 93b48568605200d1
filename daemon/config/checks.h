/* What single values must be beyond their type. "" is always fine here: it stands for the default. Pure, except that
 * a time zone is looked up on disk. All return 0 or a refusal. */
#ifndef HABIT_CONFIG_CHECKS_H
#define HABIT_CONFIG_CHECKS_H

#include <stdbool.h>

#include "base/error.h"

int check_gateway(const char *text, struct refusal *refusal);
int check_timezone(const char *text, struct refusal *refusal);
int check_log_level(const char *text, struct refusal *refusal);
int check_address(const char *text, struct refusal *refusal);
int check_names(const char *text, struct refusal *refusal);
int check_host(const char *text, struct refusal *refusal);
int check_secret(const char *text, struct refusal *refusal);
int check_path(const char *text, struct refusal *refusal);
int check_ca(const char *text, struct refusal *refusal);

/* Whether only this host can reach an address, or name an MQTT broker by it. */
bool is_loopback(const char *text);

/* The beginning of topics: no wildcards, no empty levels. */
int check_prefix(const char *text, struct refusal *refusal);

/* A topic pattern: at most one level {machine}, '+' only as a whole level, no '#'. */
int check_topic(const char *text, struct refusal *refusal);

/* Whether a topic exists that both patterns match. */
bool topics_overlap(const char *a, const char *b);

/* Whether a pattern matches a topic that habitd itself uses, below habit/v1/<gateway>. */
bool topic_meets_root(const char *pattern, const char *gateway);

#endif
