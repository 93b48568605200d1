/* What others see of the machines: lists, figures, reports. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "registry/internal.h"
#include "report/daily.h"

int registry_show(struct registry *registry, const char *id, struct machine_view *view, char etag[ETAG_SIZE],
                  struct moment now, struct refusal *refusal)
{
    struct machine *machine;
    int r = check_id(id, refusal);

    if (r == 0)
        r = machine_enter(registry, id, &machine, refusal);
    if (r != 0)
        return r;
    machine_view(machine, view, now);
    r = machine_etag(machine, etag);
    machine_leave(machine);
    return r < 0 ? refuse_fault(refusal, r) : 0;
}

int registry_list(struct registry *registry, const char *after, struct machine_view *views, size_t limit,
                  struct moment now)
{
    char(*ids)[MACHINE_ID_SIZE] = calloc(limit, sizeof(*ids));
    size_t found = ids ? registry_ids(registry, after, ids, limit) : 0;
    int count = ids ? 0 : fault(-ENOMEM);

    for (size_t i = 0; i < found; i++) {
        struct machine *machine;

        if (machine_enter(registry, ids[i], &machine, NULL) != 0)
            continue;
        machine_view(machine, &views[count++], now);
        machine_leave(machine);
    }
    free(ids);
    return count;
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
    figures->open_anomalies += machine->state.anomaly != 0;
    figures->conflicts += machine->conflict;
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
}

/* ---------------------------------------------------------------------------------------------------------- reports */

/* Counters that are not in the store yet belong to the day as well. */
static int report_entered(struct registry *registry, const struct machine *machine, const struct civil_day *day,
                          int64_t now, struct daily_report *report)
{
    struct hour hours[REPORT_HOURS + HOURS_PENDING];
    int count = store_hours(registry->store, machine->row, day->from, day->to, hours, REPORT_HOURS);

    if (count < 0)
        return count;
    memcpy(&hours[count], machine->hour, machine->hour_count * sizeof(hours[0]));
    daily_report_make(report, day, machine->id, machine->settings.asset, hours, (size_t)count + machine->hour_count,
                      now);
    return 0;
}

static int report_of(struct registry *registry, const char *id, const struct civil_day *day, int64_t now,
                     struct daily_report *report, struct refusal *refusal)
{
    struct machine *machine;
    int r = machine_enter(registry, id, &machine, refusal);

    if (r != 0)
        return r;
    r = report_entered(registry, machine, day, now, report);
    machine_leave(machine);
    return r;
}

static int reports_of_all(struct registry *registry, const char *after, const struct civil_day *day, int64_t now,
                          struct daily_report *reports, size_t limit)
{
    char(*ids)[MACHINE_ID_SIZE] = calloc(limit, sizeof(*ids));
    size_t found = ids ? registry_ids(registry, after, ids, limit) : 0;
    int count = ids ? 0 : fault(-ENOMEM);

    for (size_t i = 0; i < found && count >= 0; i++) {
        int r = report_of(registry, ids[i], day, now, &reports[count], NULL);

        count = r < 0 ? r : count + (r == 0);
    }
    free(ids);
    return count;
}

int registry_reports(struct registry *registry, const char *id, const char *after, const struct civil_day *day,
                     int64_t now, struct daily_report *reports, size_t limit, struct refusal *refusal)
{
    int r;

    refusal->code = REFUSAL_NONE;
    if (!id)
        return reports_of_all(registry, after, day, now, reports, limit);
    r = check_id(id, refusal);
    if (r == 0)
        r = report_of(registry, id, day, now, reports, refusal);
    return r < 0 ? r : r == 0;
}
