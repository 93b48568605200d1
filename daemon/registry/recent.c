/* The last judged buffers of each machine. In memory only: what has to last is in the hours. */
#include <errno.h>
#include <stdlib.h>

#include "registry/internal.h"

struct recent {
    uint64_t count; /* since the machine was loaded */
    uint64_t from;  /* those before were judged by other knowledge */
    struct recent_point point[LIMIT_RECENT];
};

void recent_add(struct machine *machine, const struct recent_point *point)
{
    struct recent *recent = machine->recent;

    if (!recent)
        recent = machine->recent = calloc(1, sizeof(*recent));
    if (recent) /* a picture with a gap is no reason to refuse a buffer */
        recent->point[recent->count++ % LIMIT_RECENT] = *point;
}

void recent_forget(struct machine *machine)
{
    if (machine->recent)
        machine->recent->from = machine->recent->count;
}

/* Points behind the first `after`, oldest first. */
static size_t copy(const struct recent *recent, uint64_t after, struct recent_point *points)
{
    uint64_t first = recent->count > LIMIT_RECENT ? recent->count - LIMIT_RECENT : 0;
    size_t copied = 0;

    if (after > recent->count) /* counted before a restart */
        after = 0;
    if (after < first)
        after = first;
    for (uint64_t i = after > recent->from ? after : recent->from; i < recent->count; i++)
        points[copied++] = recent->point[i % LIMIT_RECENT];
    return copied;
}

int registry_recent(struct registry *registry, const char *id, uint64_t after, struct recent_point *points,
                    size_t *count, uint64_t *total, struct refusal *refusal)
{
    struct machine *machine;
    int r = machine_enter(registry, id, &machine, refusal);

    *count = 0;
    *total = 0;
    if (r != 0)
        return r;
    if (machine->recent) {
        *count = copy(machine->recent, after, points);
        *total = machine->recent->count;
    }
    machine_leave(machine);
    return 0;
}
