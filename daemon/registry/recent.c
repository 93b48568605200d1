/* The last judged buffers of each machine: a few of every machine, many of those that somebody has looked at, since few of a
 * thousand are. In memory only: what has to last is in the hours. */
#include <errno.h>
#include <stdlib.h>

#include "registry/internal.h"

enum { FEW = 12 };

struct recent {
    uint64_t count; /* since the machine was loaded */
    uint64_t from;  /* those before were judged by other knowledge, or are not kept */
    size_t room;    /* point i lies at i % room */
    struct recent_point point[];
};

static struct recent *make(size_t room)
{
    struct recent *recent = calloc(1, sizeof(*recent) + room * sizeof(recent->point[0]));

    if (recent)
        recent->room = room;
    return recent;
}

static uint64_t first_kept(const struct recent *recent)
{
    uint64_t kept = recent->count > recent->room ? recent->count - recent->room : 0;

    return kept > recent->from ? kept : recent->from;
}

void recent_add(struct machine *machine, const struct recent_point *point)
{
    struct recent *recent = machine->recent;

    if (!recent)
        recent = machine->recent = make(FEW);
    if (recent) /* a picture with a gap is no reason to refuse a buffer */
        recent->point[recent->count++ % recent->room] = *point;
}

/* Somebody looks: from now on many are kept. Without memory it stays as it was. */
static void keep_many(struct machine *machine)
{
    struct recent *old = machine->recent, *many = old && old->room == LIMIT_RECENT ? NULL : make(LIMIT_RECENT);

    if (!many)
        return;
    if (old) {
        many->count = old->count;
        many->from = first_kept(old);
        for (uint64_t i = many->from; i < many->count; i++)
            many->point[i % many->room] = old->point[i % old->room];
    }
    free(old);
    machine->recent = many;
}

void recent_forget(struct machine *machine)
{
    if (machine->recent)
        machine->recent->from = machine->recent->count;
}

/* Points behind the first `after`, oldest first. */
static size_t copy(const struct recent *recent, uint64_t after, struct recent_point *points)
{
    uint64_t first = first_kept(recent);
    size_t copied = 0;

    if (after > recent->count) /* counted before a restart */
        after = 0;
    for (uint64_t i = after > first ? after : first; i < recent->count; i++)
        points[copied++] = recent->point[i % recent->room];
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
    keep_many(machine);
    if (machine->recent) {
        *count = copy(machine->recent, after, points);
        *total = machine->recent->count;
    }
    machine_leave(machine);
    return 0;
}
