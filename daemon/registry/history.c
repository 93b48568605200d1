/* The hours of one machine, also those that are on their way to the store. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "registry/internal.h"

/* Adds an hour that is not in the store; returns how many there are then. */
static int insert_hour(struct hour *hours, int count, const struct hour *pending)
{
    int place = count;

    while (place > 0 && hours[place - 1].start > pending->start)
        place--;
    if (place > 0 && hours[place - 1].start == pending->start) {
        hour_add(&hours[place - 1], pending);
        return count;
    }
    memmove(&hours[place + 1], &hours[place], (size_t)(count - place) * sizeof(*hours));
    hours[place] = *pending;
    return count + 1;
}

static int history_entered(struct registry *registry, const struct machine *machine, int64_t from, int64_t to,
                           struct hour *hours)
{
    int count = store_hours(registry->store, machine->row, from, to, hours, LIMIT_HOURS);

    for (size_t i = 0; i < machine->hour_count && count >= 0; i++)
        if (machine->hour[i].start >= from && machine->hour[i].start < to)
            count = insert_hour(hours, count, &machine->hour[i]);
    return count;
}

int registry_history(struct registry *registry, const char *id, int64_t from, int64_t to, struct hour **hours,
                     struct refusal *refusal)
{
    struct machine *machine;
    int r;

    refusal->code = REFUSAL_NONE;
    *hours = calloc(LIMIT_HOURS + HOURS_PENDING, sizeof(**hours));
    if (!*hours)
        return fault(-ENOMEM);
    pthread_mutex_lock(&registry->flushing);
    r = machine_enter(registry, id, &machine, refusal);
    if (r == 0) {
        r = history_entered(registry, machine, from, to, *hours);
        machine_leave(machine);
    } else if (r > 0) {
        r = 0;
    }
    pthread_mutex_unlock(&registry->flushing);
    return r;
}
