/* What happens to machines and to habitd itself, in the log, with fields for those who search it: said when it is stored, and once. */
#ifndef HABIT_JOURNAL_H
#define HABIT_JOURNAL_H

#include "base/clock.h"
#include "http/http.h"
#include "store/store.h"

struct journal {
    struct store *store;
    struct http *http;
    int64_t after;     /* the last event that was looked at */
    int64_t next;      /* mono ms: of the next look at what degrades us */
    uint32_t degraded; /* at the last one: bits, in the order in which http_reasons tells */
};

/* What was stored before is not told again. */
void journal_begin(struct journal *journal, struct store *store, struct http *http);

/* Often. */
void journal_look(struct journal *journal, struct moment now);

#endif
