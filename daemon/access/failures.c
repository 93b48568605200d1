#include "access/failures.h"

#include <stddef.h>
#include <string.h>

/* The row of an address, else the one that is nearest to being forgotten. */
static size_t row_of(const struct failures *failures, uint64_t address)
{
    size_t oldest = 0;

    for (size_t i = 0; i < LIMIT_FAILURES; i++) {
        if (failures->rows[i].address == address)
            return i;
        if (failures->rows[i].full_at < failures->rows[oldest].full_at)
            oldest = i;
    }
    return oldest;
}

int failures_add(struct failures *failures, uint64_t address, int64_t mono, bool *first)
{
    size_t i = row_of(failures, address);
    int64_t beyond;

    *first = false;
    if (failures->rows[i].address != address)
        memset(&failures->rows[i], 0, sizeof(failures->rows[i]));
    failures->rows[i].address = address;
    if (failures->rows[i].full_at < mono)
        failures->rows[i].full_at = mono;
    beyond = failures->rows[i].full_at + FAILURES_MS - (mono + FAILURES_FREE * FAILURES_MS);
    if (beyond <= 0) {
        failures->rows[i].full_at += FAILURES_MS;
        failures->rows[i].limited = false;
        return 0;
    }
    *first = !failures->rows[i].limited;
    failures->rows[i].limited = true;
    return (int)((beyond + 999) / 1000);
}
