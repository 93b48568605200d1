/* Daily reports: gathered from what is stored and what is not yet, made once for each day, and shown. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "registry/internal.h"
#include "report/daily.h"
#include "report/trend.h"
#include "wire/document.h"

enum { PORTION = 250, DAY_MS = 24 * HOUR_MS };

/* -------------------------------------------------------------------------------------------------------- gathering */

/* What is known of a machine beside its report. */
struct subject {
    struct hour hour[HOURS_PENDING]; /* not in the store yet */
    size_t hour_count;
    struct hour stored; /* total, as it was stored */
    double means[TREND_DAYS];
};

struct gathering {
    struct registry *registry;
    const struct civil_day *day;
    const char *asset; /* only machines of this one; NULL = all */
    int64_t now;
    struct daily_report *reports;
    struct subject *subjects;
    size_t *by_row; /* indexes of reports, sorted by machine_row */
    size_t count;
};

static int compare_rows(const void *a, const void *b, void *user)
{
    const struct gathering *gathering = user;
    int64_t x = gathering->reports[*(const size_t *)a].machine_row,
            y = gathering->reports[*(const size_t *)b].machine_row;

    return (x > y) - (x < y);
}

/* The index of a machine's report, or count. */
static size_t place_of(const struct gathering *gathering, int64_t row)
{
    size_t low = 0, high = gathering->count;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (gathering->reports[gathering->by_row[middle]].machine_row < row)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == gathering->count || gathering->reports[gathering->by_row[low]].machine_row != row)
        return gathering->count;
    return gathering->by_row[low];
}

static void describe_machine(struct machine *machine, struct daily_report *report)
{
    struct habit_info info = { 0 };
    struct habit_progress progress = { 0 };

    report->machine_row = machine->row;
    report->young = machine->created >= report->day.to;
    report->sensitivity = machine->settings.sensitivity;
    report->threshold = machine->settings.threshold;
    habit_status(&machine->engine, &progress);
    habit_seal(&machine->engine);
    report->knowledge_learned = progress.learned;
    if (habit_check(machine->memory.knowledge, machine->memory.knowledge_size, &info) == HABIT_OK)
        report->knowledge_crc = info.crc;
}

/* Begins the report of an entered machine. */
static void begin_report(struct gathering *gathering, struct machine *machine)
{
    const struct civil_day *day = gathering->day;
    struct daily_report *report = &gathering->reports[gathering->count];
    struct subject *subject = &gathering->subjects[gathering->count];
    int64_t end = gathering->now < day->to ? gathering->now : day->to;

    daily_report_begin(report, day, machine->id, machine->settings.asset);
    describe_machine(machine, report);
    memset(subject, 0, sizeof(*subject));
    memcpy(subject->hour, machine->hour, sizeof(subject->hour));
    subject->hour_count = machine->hour_count;
    for (size_t i = 0; i < TREND_DAYS; i++)
        subject->means[i] = (double)NAN;
    report->total.silent_ms = (uint64_t)presence_silent_ms(machine, day->from, end);
    gathering->count++;
}

/* Returns 0; or a refusal. Machines of another asset are left out. */
static int gather_machine(struct gathering *gathering, const char *id, struct refusal *refusal)
{
    struct machine *machine;
    int r = machine_enter(gathering->registry, id, &machine, refusal);

    if (r != 0)
        return r;
    if (!gathering->asset || strcmp(machine->settings.asset, gathering->asset) == 0)
        begin_report(gathering, machine);
    machine_leave(machine);
    return 0;
}

static void take_stored(void *user, const struct daily_report *stored)
{
    struct gathering *gathering = user;
    size_t place = place_of(gathering, stored->machine_row);
    struct daily_report *report = &gathering->reports[place], begun;

    if (place == gathering->count || strcmp(stored->day.date, gathering->day->date) != 0 || report->made != 0)
        return;
    daily_report_begin(&begun, &stored->day, report->machine, stored->asset);
    *report = *stored;
    memcpy(report->machine, begun.machine, sizeof(report->machine));
    memcpy(report->hour, begun.hour, sizeof(report->hour));
    report->hour_count = begun.hour_count;
    report->hours = begun.hours;
    report->worst_explanation = stored->worst_explanation ? strdup(stored->worst_explanation) : NULL;
    gathering->subjects[place].stored = stored->total;
}

static void take_hour(void *user, int64_t machine, const struct hour *hour)
{
    struct gathering *gathering = user;
    size_t place = place_of(gathering, machine);

    if (place < gathering->count)
        daily_report_add(&gathering->reports[place], hour);
}

static void take_anomaly(void *user, int64_t machine, const struct anomaly *anomaly)
{
    struct gathering *gathering = user;
    size_t place = place_of(gathering, machine);
    struct daily_report *report = &gathering->reports[place];

    if (place == gathering->count || report->made != 0 ||
        (report->worst != 0 && anomaly->distance <= report->worst_distance))
        return;
    free(report->worst_explanation);
    report->worst = anomaly->id;
    report->worst_similarity = anomaly->similarity;
    report->worst_distance = anomaly->distance;
    report->worst_explanation = strdup(anomaly->explanation);
}

static void take_mean(void *user, const struct daily_report *earlier)
{
    struct gathering *gathering = user;
    size_t place = place_of(gathering, earlier->machine_row);
    int64_t ago = (gathering->day->from - earlier->day.from + DAY_MS / 2) / DAY_MS;

    if (place < gathering->count && ago > 0 && ago < TREND_DAYS && earlier->total.detected > 0)
        gathering->subjects[place].means[TREND_DAYS - 1 - ago] =
            earlier->total.log_distance_sum / earlier->total.detected;
}

/* The logarithm of the distance at which a buffer's similarity meets the threshold. */
static double line_of(const struct daily_report *report)
{
    double share = (report->threshold < 100 ? report->threshold : 99.5) / 100.0;

    return 0.5 * log(log(share) / log(0.9)) - log((double)report->sensitivity);
}

static void finish_report(struct gathering *gathering, size_t place)
{
    struct daily_report *report = &gathering->reports[place];
    struct subject *subject = &gathering->subjects[place];

    if (report->made != 0) {
        report->total = subject->stored;
        daily_report_end(report, report->day.to);
        return;
    }
    for (size_t i = 0; i < subject->hour_count; i++)
        daily_report_add(report, &subject->hour[i]);
    daily_report_end(report, gathering->now);
    if (report->total.detected > 0)
        subject->means[TREND_DAYS - 1] = report->total.log_distance_sum / report->total.detected;
    trend_find(&report->trend, subject->means, line_of(report));
}

/* From the machines to their reports. */
static int finish_gathering(struct gathering *gathering)
{
    struct store *store = gathering->registry->store;
    const struct civil_day *day = gathering->day;
    int r;

    for (size_t i = 0; i < gathering->count; i++)
        gathering->by_row[i] = i;
    qsort_r(gathering->by_row, gathering->count, sizeof(*gathering->by_row), compare_rows, gathering);
    r = store_reports(store, 0, day->from - 2 * (int64_t)DAY_MS, day->to, take_stored, gathering);
    if (r == 0)
        r = store_hours_of_all(store, day->from - 2 * (int64_t)DAY_MS, day->to, take_hour, gathering);
    if (r == 0)
        r = store_anomalies_between(store, day->from, day->to, take_anomaly, gathering);
    if (r == 0)
        r = store_reports(store, 0, day->from - TREND_DAYS * (int64_t)DAY_MS, day->from, take_mean, gathering);
    for (size_t i = 0; i < gathering->count && r == 0; i++)
        finish_report(gathering, i);
    return r;
}

static int new_gathering(struct gathering *gathering, size_t room)
{
    gathering->subjects = calloc(room, sizeof(*gathering->subjects));
    gathering->by_row = calloc(room, sizeof(*gathering->by_row));
    return gathering->subjects && gathering->by_row ? 0 : fault(-ENOMEM);
}

static void free_gathering(struct gathering *gathering)
{
    free(gathering->subjects);
    free(gathering->by_row);
}

/* Machines above `after` until `limit` reports are begun; `last` takes the last ID that was looked at. */
static int gather_all(struct gathering *gathering, char last[MACHINE_ID_SIZE], size_t limit)
{
    char(*ids)[MACHINE_ID_SIZE] = calloc(limit, sizeof(*ids));
    size_t found = 1;

    if (!ids)
        return fault(-ENOMEM);
    while (gathering->count < limit && found > 0) {
        found = registry_ids(gathering->registry, last, ids, limit - gathering->count);
        for (size_t i = 0; i < found; i++)
            gather_machine(gathering, ids[i], NULL);
        if (found > 0)
            memcpy(last, ids[found - 1], MACHINE_ID_SIZE);
    }
    free(ids);
    return 0;
}

/* Counters that are on their way to the store are neither here nor there: so that takes turns with flushing. */
static int gather(struct gathering *gathering, const char *id, char last[MACHINE_ID_SIZE], size_t limit,
                  struct refusal *refusal)
{
    int r = new_gathering(gathering, limit);

    pthread_mutex_lock(&gathering->registry->flushing);
    if (r == 0)
        r = id ? gather_machine(gathering, id, refusal) : gather_all(gathering, last, limit);
    if (r == 0)
        r = finish_gathering(gathering);
    pthread_mutex_unlock(&gathering->registry->flushing);
    free_gathering(gathering);
    return r;
}

void registry_reports_clear(struct daily_report *reports, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(reports[i].worst_explanation);
}

int registry_reports(struct registry *registry, const struct report_query *query, int64_t now,
                     struct daily_report *reports, struct refusal *refusal)
{
    struct gathering gathering = {
        .registry = registry, .day = &query->day, .asset = query->asset, .now = now, .reports = reports
    };
    char last[MACHINE_ID_SIZE];
    int r;

    refusal->code = REFUSAL_NONE;
    snprintf(last, sizeof(last), "%s", query->after ? query->after : "");
    r = gather(&gathering, query->machine, last, query->machine ? 1 : query->limit, refusal);
    if (r == 0)
        return (int)gathering.count;
    registry_reports_clear(reports, gathering.count);
    return r > 0 ? 0 : r;
}

/* ----------------------------------------------------------------------------------------------------------- groups */

struct grouping {
    const struct civil_day *day;
    bool by_asset;
    struct group_report *groups;
    size_t count, limit, left_out;
};

/* The group of an asset, made where it is new; NULL where there is no room. */
static struct group_report *group_of(struct grouping *grouping, const char *asset)
{
    size_t place = 0;

    while (place < grouping->count && strcmp(grouping->groups[place].asset, asset) < 0)
        place++;
    if (place < grouping->count && strcmp(grouping->groups[place].asset, asset) == 0)
        return &grouping->groups[place];
    if (grouping->count == grouping->limit)
        return NULL;
    memmove(&grouping->groups[place + 1], &grouping->groups[place],
            (grouping->count - place) * sizeof(grouping->groups[0]));
    group_begin(&grouping->groups[place], grouping->day, asset);
    grouping->count++;
    return &grouping->groups[place];
}

static void add_to_group(struct grouping *grouping, const struct daily_report *report)
{
    struct group_report *group = group_of(grouping, grouping->by_asset ? report->asset : "");

    if (group)
        group_add(group, report);
    else
        grouping->left_out++;
}

/* Calls `each` for every machine's report of a day, a portion in memory at a time. */
static int each_portion(struct registry *registry, const struct civil_day *day, int64_t now,
                        int (*each)(void *user, struct daily_report *reports, size_t count), void *user)
{
    struct daily_report *reports = calloc(PORTION, sizeof(*reports));
    char last[MACHINE_ID_SIZE] = "";
    size_t count = PORTION;
    int r = reports ? 0 : fault(-ENOMEM);

    while (r == 0 && count == PORTION) {
        struct gathering gathering = { .registry = registry, .day = day, .now = now, .reports = reports };

        r = gather(&gathering, NULL, last, PORTION, NULL);
        count = gathering.count;
        if (r == 0 && count > 0)
            r = each(user, reports, count);
        registry_reports_clear(reports, count);
    }
    free(reports);
    return r;
}

static int group_portion(void *user, struct daily_report *reports, size_t count)
{
    for (size_t i = 0; i < count; i++)
        add_to_group(user, &reports[i]);
    return 0;
}

int registry_report_groups(struct registry *registry, const struct civil_day *day, bool by_asset, int64_t now,
                           struct group_report *groups, size_t limit, size_t *left_out)
{
    struct grouping grouping = { .day = day, .by_asset = by_asset, .groups = groups, .limit = limit };
    int r;

    if (!by_asset)
        group_of(&grouping, ""); /* the fleet is there without machines too */
    r = each_portion(registry, day, now, group_portion, &grouping);
    for (size_t i = 0; i < grouping.count; i++)
        group_end(&groups[i], now);
    *left_out = grouping.left_out;
    return r < 0 ? r : (int)grouping.count;
}

/* ----------------------------------------------------------------------------------------------------------- making */

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
    for (size_t i = 0; outgoing && i < count; i++) {
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
    const struct store_reports portion = { .reports = reports, .outgoing = outgoing, .count = count };
    int r = outgoing ? 0 : fault(-ENOMEM);

    for (size_t i = 0; i < count; i++) {
        reports[i].made = reports[i].made != 0 ? reports[i].made : making->now;
        group_add(&making->fleet, &reports[i]);
    }
    if (r == 0 && making->publish)
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

    return registry->config->mqtt_host[0] != '\0' &&
           (behind == 0 || behind * registry_count(registry) < LIMIT_OUTBOX / 4);
}

/* The day is over and all of its machines have their reports: one step with the summary that is published. */
static int finish_day(struct making *making, const struct civil_day *day)
{
    struct registry *registry = making->registry;
    struct report_progress progress = { .closed = day->to, .made = day->to };
    struct store_outgoing summary = { .topic = "report/daily", .retain = true };
    const struct store_reports last = { .progress = &progress, .summary = making->publish ? &summary : NULL };
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
        r = each_portion(registry, day, now.wall, make_portion, &making);
    if (r == 0)
        r = finish_day(&making, day);
    if (r == 0)
        log_info("reports of %s: %zu machines", day->date, making.count);
    return r;
}

/* ---------------------------------------------------------------------------------------------------------- progress */

/* Where no day was reported before: from the day of the oldest counter on, else from today. */
static int begin_progress(struct registry *registry, int64_t now)
{
    struct report_progress progress = { .closed = 0 }; /* a backlog of the days before goes where it belongs */
    int64_t oldest = 0, newest = 0;
    struct civil_day day;
    int r = store_hours_span(registry->store, &oldest, &newest);

    civil_day_of_time(oldest > CLOCK_EARLIEST && oldest < now ? oldest : now, &day);
    progress.made = day.from;
    return r < 0 ? r : set_progress(registry, &progress, 0);
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

/* ---------------------------------------------------------------------------------------------------------- history */

static int history_entered(struct registry *registry, const struct machine *machine, int64_t from, int64_t to,
                           struct hour *hours)
{
    int count = store_hours(registry->store, machine->row, from, to, hours, LIMIT_HOURS);

    for (size_t i = 0; i < machine->hour_count && count >= 0; i++) {
        const struct hour *pending = &machine->hour[i];
        int place = count;

        if (pending->start < from || pending->start >= to)
            continue;
        while (place > 0 && hours[place - 1].start > pending->start)
            place--;
        if (place > 0 && hours[place - 1].start == pending->start) {
            hour_add(&hours[place - 1], pending);
            continue;
        }
        memmove(&hours[place + 1], &hours[place], (size_t)(count - place) * sizeof(*hours));
        hours[place] = *pending;
        count++;
    }
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
