/* Who changed what: the record of one change. */
#ifndef HABIT_RECORD_AUDIT_H
#define HABIT_RECORD_AUDIT_H

#include <stdint.h>

#include "base/text.h"

struct audit {
    int64_t id;
    int64_t at; /* wall ms: when it was asked for */
    char actor
        [MACHINE_ID_SIZE]; /* name of the token; "local" where none is needed, "mqtt" (the broker does not say who), "signal" */
    char door[8];          /* http, mqtt, signal */
    char address[48];              /* of the peer; "" = not known */
    char action[96];               /* "PATCH /v1/machines/{id}", "cmd/commission", "reload", "login" */
    char machine[MACHINE_ID_SIZE]; /* "" = of none */
    char detail[400];              /* what was asked for, cut where it is long */
    int outcome;                   /* HTTP status; 0 = not known: habitd ended meanwhile */
};

#endif
