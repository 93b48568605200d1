/* Making daily reports: each day once, whatever clock and power do. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "registry/gather.h"
#include "registry/internal.h"
#include "wire/document.h"

enum { DAY_MS = 24 * HOUR_MS };

struct making {
    struct registry *registry;
    int64_t now;
    bool publish;
    struct group_report fleet;
    size_t count;
};

static int write_messages(struct store_outgoing *outgoing, const struct daily_report *reports, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char *topic = NULL;

        if (asprintf(&topic, "%s/report/daily", reports[i].machine) < 0)
            return fault(-ENOMEM);
        outgoing[i] = (struct store_outgoing){ .topic = topic, .payload = wire_report(&reports[i]), .retain = true };
        if (!outgoing[i].payload)
            return fault(-ENOMEM);
    }
    return 0;
}

static void free_messages(struct store_outgoing *outgoing, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free((char *)outgoing[i].topic);
        free((char *)outgoing[i].payload);
    }
    free(outgoing);
}

/* A machine that was made after the day, and has sent nothing of it, has no report of it. */
static size_t leave_out_young(struct daily_report *reports, size_t count)
{
    size_t kept = 0;

    for (size_t i = 0; i < count; i++) {
        struct daily_report report = reports[i];

        if (report.young && !hour_heard(&report.total))
            continue;
        reports[i] = reports[kept]; /* all stay in the array: somebody frees them */
        reports[kept++] = report;
    }
    return kept;
}

static int make_portion(void *user, struct daily_report *reports, size_t all)
{
    struct making *making = user;
    size_t count = leave_out_young(reports, all);
    struct store_outgoing *outgoing = calloc(count + 1, sizeof(*outgoing));
    const struct store_reports portion = {
        .reports = reports, .outgoing = outgoing, .count = count, .at = making->now
    };
    int r = 0;

    if (!outgoing)
        return fault(-ENOMEM);
    for (size_t i = 0; i < count; i++) {
        reports[i].made = reports[i].made != 0 ? reports[i].made : making->now;
        group_add(&making->fleet, &reports[i]);
    }
    if (making->publish)
        r = write_messages(outgoing, reports, count);
    if (r == 0)
        r = store_put_reports(making->registry->store, &portion);
    free_messages(outgoing, count);
    making->count += count;
    return r;
}

/* After a long downtime only the newest days are published, so that they push no anomaly out of the outbox; all are stored. */
static bool is_published(struct registry *registry, const struct civil_day *day, int64_t now)
{
    uint64_t behind = now > day->to ? (uint64_t)(now - day->to) / DAY_MS : 0;

    return behind == 0 || behind * registry_count(registry) < LIMIT_OUTBOX / 4;
}

/* The day is over and all of its machines have their reports: one step with the summary that is published. */
static int finish_day(struct making *making, const struct civil_day *day)
{
    struct registry *registry = making->registry;
    struct report_progress progress = { .closed = day->to, .made = day->to };
    struct store_outgoing summary = { .topic = "report/daily", .retain = true };
    const struct store_reports last = { .progress = &progress,
                                        .summary = making->publish ? &summary : NULL,
                                        .at = making->now };
    char *payload;
    int r;

    group_end(&making->fleet, making->now);
    payload = wire_group(&making->fleet);
    summary.payload = payload;
    memcpy(progress.date, day->date, sizeof(progress.date));
    r = payload ? store_put_reports(registry->store, &last) : fault(-ENOMEM);
    free(payload);
    if (r == 0)
        registry->progress = progress;
    return r;
}

/* forget: reports of days from here on are deleted; 0 = none. */
static int set_progress(struct registry *registry, const struct report_progress *progress, int64_t forget)
{
    const struct store_reports change = { .progress = progress, .forget = forget };
    int r = store_put_reports(registry->store, &change);

    if (r < 0)
        return r;
    registry->progress = *progress;
    registry->closed = progress->closed;
    registry->report_due = 0;
    return 0;
}

/* From here on buffers of the day are late, and none of them is on its way: first the store knows, so that it stays so after a
 * crash; then counters that were gathered before are flushed. */
static int close_day(struct registry *registry, const struct civil_day *day, struct moment now)
{
    struct report_progress progress = registry->progress;
    int r;

    progress.closed = day->to;
    r = set_progress(registry, &progress, 0);
    return r < 0 ? r : registry_flush(registry, now);
}

static int make_day(struct registry *registry, const struct civil_day *day, struct moment now)
{
    struct making making = { .registry = registry, .now = now.wall, .publish = is_published(registry, day, now.wall) };
    int r = close_day(registry, day, now);

    group_begin(&making.fleet, day, "");
    if (r == 0)
        r = gather_portions(registry, day, now.wall, make_portion, &making);
    if (r == 0)
        r = finish_day(&making, day);
    if (r == 0)
        log_info("reports of %s: %zu machines", day->date, making.count);
    return r;
}

/* ---------------------------------------------------------------------------------------------------------- progress */

/* Where no day was reported before: from today on. A backlog of the days before goes where it belongs, however long it takes to
 * come, since none of these days is closed; who asks for them gets what has come by then. */
static int begin_progress(struct registry *registry, int64_t now)
{
    struct report_progress progress = { .closed = 0 };
    struct civil_day today;

    civil_day_of_time(now, &today);
    progress.made = today.from;
    return set_progress(registry, &progress, 0);
}

static void note_latest(void *user, const struct daily_report *report)
{
    *(struct civil_day *)user = report->day;
}

/* The clock was ahead by more than a day, and was believed: what it reported of days that are still to come is deleted. Today
 * may be reported already: then what comes counts tomorrow, as late. */
static int go_back(struct registry *registry, int64_t now)
{
    struct report_progress progress = { 0 };
    struct civil_day today, last = { .date = "" };
    int r;

    log_warning(
        "the clock went back by more than a day: reports of the days to come are deleted, and go on with today");
    civil_day_of_time(now, &today);
    r = store_reports(registry->store, 0, today.from - DAY_MS, today.to, note_latest, &last);
    progress.closed = progress.made = last.to > today.from ? last.to : today.from;
    memcpy(progress.date, last.date, sizeof(progress.date));
    return r < 0 ? r : set_progress(registry, &progress, today.to);
}

/* A downtime longer than reports are kept. */
static int skip_oldest(struct registry *registry, int64_t now)
{
    struct report_progress progress = { 0 };
    struct civil_day day;

    civil_day_of_time(now - LIMIT_REPORTS * (int64_t)DAY_MS, &day);
    log_warning("more than %d days were not reported: reports begin again with %s", LIMIT_REPORTS, day.date);
    progress.closed = progress.made = day.from;
    return set_progress(registry, &progress, 0);
}

static int mend_progress(struct registry *registry, int64_t now)
{
    const struct report_progress *progress = &registry->progress;

    if (progress->made == 0)
        return begin_progress(registry, now);
    if (progress->closed > now + 26 * (int64_t)HOUR_MS)
        return go_back(registry, now);
    if (now - progress->made > (LIMIT_REPORTS + 1) * (int64_t)DAY_MS)
        return skip_oldest(registry, now);
    return 0;
}

int registry_make_reports(struct registry *registry, struct moment now, bool *more)
{
    struct civil_day day, next;
    int r = now.doubtful ? 1 : mend_progress(registry, now.wall);

    *more = false;
    if (r != 0 || now.wall < registry->report_due)
        return r < 0 ? r : 0;
    civil_day_after(registry->progress.made, registry->progress.date, &day);
    civil_day_of_time(day.to, &next);
    registry->report_due = civil_time_of_day(&next, registry->config->report_minute);
    if (now.wall < registry->report_due)
        return 0;
    r = make_day(registry, &day, now);
    registry->report_due = 0;
    *more = r == 0;
    return r;
}
