/* What others see of the machines: lists and figures. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "registry/internal.h"

int registry_show(struct registry *registry, const char *id, struct machine_view *view, char etag[ETAG_SIZE],
                  struct moment now, struct refusal *refusal)
{
    struct machine *machine;
    int r = machine_enter(registry, id, &machine, refusal);

    if (r != 0)
        return r;
    machine_view(registry, machine, view, now);
    r = machine_etag(machine, etag);
    machine_leave(machine);
    return r < 0 ? refuse_fault(refusal, r) : 0;
}

/* Calls `each` with the IDs above `after` until it has counted `limit`: machines that vanish meanwhile do not shorten a page.
 * `each` returns 1 for one that counts, 0, or negative. */
static int walk(struct registry *registry, const char *after, size_t limit, int (*each)(void *user, const char *id),
                void *user)
{
    char(*ids)[MACHINE_ID_SIZE] = calloc(limit, sizeof(*ids));
    char last[MACHINE_ID_SIZE] = "";
    size_t found = 1, count = 0;
    int r = 0;

    if (!ids)
        return fault(-ENOMEM);
    snprintf(last, sizeof(last), "%s", after ? after : "");
    while (r >= 0 && count < limit && found > 0) {
        found = registry_ids(registry, last, ids, limit - count);
        for (size_t i = 0; i < found && r >= 0; i++) {
            r = each(user, ids[i]);
            count += r > 0;
        }
        if (found > 0)
            memcpy(last, ids[found - 1], sizeof(last));
    }
    free(ids);
    return r < 0 ? r : (int)count;
}

struct listing {
    struct registry *registry;
    struct machine_view *next;
    struct moment now;
};

static int list_one(void *user, const char *id)
{
    struct listing *listing = user;
    struct machine *machine;

    if (machine_enter(listing->registry, id, &machine, NULL) != 0)
        return 0;
    machine_view(listing->registry, machine, listing->next++, listing->now);
    machine_leave(machine);
    return 1;
}

int registry_list(struct registry *registry, const char *after, struct machine_view *views, size_t limit,
                  struct moment now)
{
    struct listing listing = { registry, views, now };

    return walk(registry, after, limit, list_one, &listing);
}

int registry_pending(struct registry *registry, const char *after, struct pending *pendings, size_t limit)
{
    return (int)pending_take_page(registry->pending, after, pendings, limit);
}

/* ---------------------------------------------------------------------------------------------------------- figures */

void registry_count_refusal(struct registry *registry, enum refusal_code code)
{
    registry->refusals[code]++;
}

static void count_machine(void *user, struct machine *machine)
{
    struct registry_figures *figures = user;

    figures->machines++;
    figures->phases[strategy_phase(&machine->settings, &machine->state)]++;
    figures->open_anomalies += machine->told != 0;
    figures->conflicts += machine->conflict;
    if (machine->file_damaged && figures->damaged++ == 0)
        memcpy(figures->damaged_first, machine->id, sizeof(figures->damaged_first));
}

void registry_figures(struct registry *registry, struct registry_figures *figures)
{
    memset(figures, 0, sizeof(*figures));
    registry_each(registry, count_machine, figures);
    figures->pending = (uint32_t)pending_count(registry->pending, &figures->pending_dropped);
    figures->learned = registry->learned;
    figures->detected = registry->detected;
    figures->duplicates = registry->duplicates;
    figures->ignored_fields = registry->ignored;
    for (size_t i = 0; i < REFUSAL_CODES; i++)
        figures->refusals[i] = registry->refusals[i];
    figures->learn_duration = &registry->learn_duration;
    figures->detect_duration = &registry->detect_duration;
    for (size_t i = 0; i < TRANSPORTS; i++)
        figures->ingest_latency[i] = &registry->ingest_latency[i];
}
