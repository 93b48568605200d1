/* Knowledge that is kept in the store, to go back to. */
#ifndef HABIT_RECORD_SNAPSHOT_H
#define HABIT_RECORD_SNAPSHOT_H

#include <stdbool.h>
#include <stdint.h>

/* Why a snapshot was taken; these words are stored. */
#define SNAPSHOT_READY    "first readiness"
#define SNAPSHOT_INIT     "before initialize"
#define SNAPSHOT_RESTORE  "before restore"
#define SNAPSHOT_UPLOAD   "before upload"
#define SNAPSHOT_ACCEPT   "before accept"
#define SNAPSHOT_ENRICH   "before enrich"
#define SNAPSHOT_RELEARN  "before relearn"
#define SNAPSHOT_DAILY    "daily"
#define SNAPSHOT_REQUEST  "on request"
#define SNAPSHOT_UPLOADED "uploaded"
#define SNAPSHOT_DAMAGED  "damaged"

enum { SNAPSHOT_REASON_SIZE = 32, SNAPSHOT_NOTE_SIZE = 128 };

struct snapshot {
    int64_t id;
    int64_t taken; /* wall ms */
    char reason[SNAPSHOT_REASON_SIZE], note[SNAPSHOT_NOTE_SIZE];
    uint32_t size; /* bytes of the block */
    bool whole;    /* it passes the engine's checks: what follows is of it */
    uint32_t crc, learned;
    float sensitivity;
};

#endif
