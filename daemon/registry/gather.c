/* One day of many machines: from what is stored, and what is not yet, to their reports. */
#include "registry/gather.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "registry/internal.h"
#include "report/daily.h"
#include "report/trend.h"

enum { PORTION = 250, DAY_MS = 24 * HOUR_MS };

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
    report->total.silent_ms = (uint64_t)presence_silent_ms(gathering->registry, machine, day->from, end);
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
    int64_t only = gathering->count == 1 ? gathering->reports[0].machine_row : 0;
    int r;

    for (size_t i = 0; i < gathering->count; i++)
        gathering->by_row[i] = i;
    qsort_r(gathering->by_row, gathering->count, sizeof(*gathering->by_row), compare_rows, gathering);
    r = store_reports(store, only, day->from - 2 * (int64_t)DAY_MS, day->to, take_stored, gathering);
    if (r == 0)
        r = store_hours_of_all(store, day->from - 2 * (int64_t)DAY_MS, day->to, take_hour, gathering);
    if (r == 0)
        r = store_anomalies_between(store, day->from, day->to, take_anomaly, gathering);
    if (r == 0)
        r = store_reports(store, only, day->from - TREND_DAYS * (int64_t)DAY_MS, day->from, take_mean, gathering);
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

/* The same of one that was listed: it may be deleted meanwhile. */
static int gather_listed(struct gathering *gathering, const char *id, struct refusal *refusal)
{
    int r = gather_machine(gathering, id, refusal);

    if (r != REFUSAL_NO_MACHINE)
        return r;
    if (refusal)
        refusal->code = REFUSAL_NONE;
    return 0;
}

/* Machines above `after` until `limit` reports are begun; `last` takes the last ID that was looked at. One that cannot be loaded is no
 * reason for a day without it. */
static int gather_all(struct gathering *gathering, char last[MACHINE_ID_SIZE], size_t limit, struct refusal *refusal)
{
    char(*ids)[MACHINE_ID_SIZE] = calloc(limit, sizeof(*ids));
    size_t found = 1;
    int r = 0;

    if (!ids)
        return fault(-ENOMEM);
    while (r == 0 && gathering->count < limit && found > 0) {
        found = registry_ids(gathering->registry, last, ids, limit - gathering->count);
        for (size_t i = 0; i < found && r == 0; i++)
            r = gather_listed(gathering, ids[i], refusal);
        if (found > 0)
            memcpy(last, ids[found - 1], MACHINE_ID_SIZE);
    }
    free(ids);
    return r;
}

/* Counters that are on their way to the store are neither here nor there: so that takes turns with flushing. */
static int gather(struct gathering *gathering, const char *id, char last[MACHINE_ID_SIZE], size_t limit,
                  struct refusal *refusal)
{
    int r = new_gathering(gathering, limit);

    pthread_mutex_lock(&gathering->registry->flushing);
    if (r == 0)
        r = id ? gather_machine(gathering, id, refusal) : gather_all(gathering, last, limit, refusal);
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

int gather_portions(struct registry *registry, const struct civil_day *day, int64_t now,
                    int (*each)(void *user, struct daily_report *reports, size_t count), void *user)
{
    struct daily_report *reports = calloc(PORTION, sizeof(*reports));
    char last[MACHINE_ID_SIZE] = "";
    size_t count = PORTION;
    int r = 0;

    if (!reports)
        return fault(-ENOMEM);
    while (r == 0 && count == PORTION) {
        struct gathering gathering = { .registry = registry, .day = day, .now = now, .reports = reports };

        r = gather(&gathering, NULL, last, PORTION, NULL);
        r = r > 0 ? fault(-EAGAIN) : r;
        count = gathering.count;
        if (r == 0 && count > 0)
            r = each(user, reports, count);
        registry_reports_clear(reports, count);
    }
    free(reports);
    return r;
}
