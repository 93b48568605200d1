/* Reports as the daemon makes them, on simulated time, with registry and store below: each civil day exactly one, whatever zone,
 * clock and power do, and each buffer in exactly one. */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/limits.h"
#include "base/trust.h"
#include "report/days.h"

enum { SAMPLES = 16, MINUTE = 60000, DAY = 24 * HOUR_MS };

static int set_up(void **state)
{
    struct bench *bench = bench_new();

    bench->now = (struct moment){ 0 };
    assert_int_equal(bench->config.report_minute, 10);
    start(bench);
    *state = bench;
    return 0;
}

static int tear_down(void **state)
{
    bench_free(*state);
    return 0;
}

static void zone(const char *name)
{
    setenv("TZ", name, 1);
    tzset();
}

static int64_t utc(const char *text)
{
    int64_t wall = 0;

    if (clock_parse(text, &wall) != 0)
        fail_msg("%s", text);
    return wall;
}

static void put_quickly(struct bench *bench, const char *id)
{
    static const char settings[] = "{\"buffer_size\":16,\"axes\":1}";
    struct refusal refusal = { 0 };
    bool created;

    if (registry_put(bench->registry, id, settings, strlen(settings), "", &created, &refusal) != 0)
        fail_msg("%s", refusal.detail);
}

/* Machines are as old as the simulation. */
static void settle_age(struct bench *bench)
{
    database_run(bench->path, "UPDATE machine SET created = 1");
    restart(bench);
}

static void put(struct bench *bench, const char *id)
{
    put_quickly(bench, id);
    settle_age(bench);
}

/* A buffer that was measured `age` ms ago; the machine is new, so it is counted as idle. */
static void send_aged(struct bench *bench, const char *id, int64_t age)
{
    struct wire_meta meta = { .has_age = age > 0, .age_ms = (uint64_t)age };
    float samples[SAMPLES];
    struct verdict verdict[1];
    struct refusal refusal = { 0 };
    struct arrival arrival = { .id = id,
                               .encoding = ENCODING_RAW,
                               .bytes = samples,
                               .size = sizeof(samples),
                               .format = -1,
                               .meta = &meta,
                               .now = bench->now };
    size_t count;

    for (size_t i = 0; i < SAMPLES; i++)
        samples[i] = (float)chance_below(&bench->seed, 1000);
    if (registry_submit(bench->registry, &arrival, verdict, 1, &count, NULL, &refusal) != 0)
        fail_msg("%s", refusal.detail);
}

static void make_reports(struct bench *bench)
{
    bool more = true;

    while (more)
        assert_int_equal(registry_make_reports(bench->registry, bench->now, &more), 0);
}

static void pass(struct bench *bench, int64_t milliseconds)
{
    bench->now.wall += milliseconds;
    bench->now.mono += milliseconds;
}

/* ----------------------------------------------------------------------------------------------------- civil days */

/* reliability.md T46. Dates before 2026 are of rules that were in force then. */
static const struct {
    const char *zone, *date;
    double hours;
} days[] = {
    { "Europe/Paris", "2026-03-29", 23 },          { "Europe/Paris", "2026-10-25", 25 },
    { "Australia/Lord_Howe", "2026-04-05", 24.5 }, { "Australia/Lord_Howe", "2026-10-04", 23.5 },
    { "America/Sao_Paulo", "2018-11-04", 23 },     { "Africa/Cairo", "2026-04-24", 23 },
    { "America/Havana", "2026-11-01", 25 },        { "Asia/Beirut", "2026-03-29", 23 },
    { "America/Santiago", "2026-09-06", 23 },      { "Pacific/Apia", "2011-12-31", 24 },
    { "Asia/Kathmandu", "2026-11-22", 24 },        { "America/Havana", "2026-03-08", 23 },
};

enum { LOCAL_DATES = 16 };

/* Events by the date that the local clock showed. */
struct tally {
    char date[LOCAL_DATES][DATE_SIZE];
    uint32_t events[LOCAL_DATES];
    size_t count;
};

static void note_local_date(struct tally *tally, int64_t wall)
{
    time_t seconds = (time_t)(wall / 1000);
    char date[DATE_SIZE];
    struct tm tm;

    localtime_r(&seconds, &tm);
    strftime(date, sizeof(date), "%Y-%m-%d", &tm);
    if (tally->count == 0 || strcmp(tally->date[tally->count - 1], date) != 0) {
        assert_true(tally->count < LOCAL_DATES);
        memcpy(tally->date[tally->count++], date, sizeof(date));
    }
    tally->events[tally->count - 1]++;
}

static void check_stored(struct bench *bench, const char *date, uint32_t events, double hours)
{
    char text[200];

    snprintf(text, sizeof(text), "SELECT count(*) FROM report WHERE date = '%s'", date);
    if (database_number(bench->path, text) != 1)
        fail_msg("%s has %lld reports", date, (long long)database_number(bench->path, text));
    snprintf(text, sizeof(text), "SELECT idle FROM report WHERE date = '%s'", date);
    if (database_number(bench->path, text) != events)
        fail_msg("%s: %lld of %u events", date, (long long)database_number(bench->path, text), events);
    snprintf(text, sizeof(text), "SELECT stop - start FROM report WHERE date = '%s'", date);
    if (hours > 0)
        assert_true((double)database_number(bench->path, text) == hours * HOUR_MS);
}

/* A buffer every ten minutes; a restart here and there. */
static void live_through(struct bench *bench, size_t i)
{
    struct tally tally = { .count = 0 };
    struct civil_day day;
    int64_t end;

    zone(days[i].zone);
    assert_int_equal(civil_day_of_date(days[i].date, &day), 0);
    end = day.to + 2 * (int64_t)DAY;
    civil_day_of_time(day.from - 1, &day);
    bench->now = (struct moment){ .wall = day.from + 3 * MINUTE, .mono = 1000 };
    put(bench, "fan");
    for (int step = 0; bench->now.wall < end; step++, pass(bench, 10 * MINUTE)) {
        make_reports(bench);
        send_aged(bench, "fan", 0);
        note_local_date(&tally, bench->now.wall);
        if (step % 50 == 49) {
            restart(bench);
        }
    }
    assert_true(database_number(bench->path, "SELECT count(*) FROM report") >= 2);
    for (size_t d = 0; d < (size_t)database_number(bench->path, "SELECT count(*) FROM report"); d++)
        check_stored(bench, tally.date[d], tally.events[d],
                     strcmp(tally.date[d], days[i].date) == 0 ? days[i].hours : 0);
    assert_int_equal(
        database_number(bench->path, "SELECT count(*) FROM outbox WHERE topic = 'fan/report/daily' AND retain = 1"),
        database_number(bench->path, "SELECT count(*) FROM report"));
    assert_int_equal(database_number(bench->path, "SELECT count(*) FROM outbox WHERE topic = 'report/daily'"),
                     database_number(bench->path, "SELECT count(*) FROM report"));
    assert_int_equal(
        database_number(bench->path,
                        "SELECT count(*) FROM report r WHERE start <> coalesce((SELECT max(stop) FROM report "
                        "WHERE stop <= r.start), start)"),
        0); /* end to end */
    assert_int_equal(database_number(bench->path, "SELECT sum(late) FROM report"), 0);
}

static void test_days_of_all_kinds(void **state)
{
    for (size_t i = 0; i < COUNT(days); i++) {
        if (i > 0) {
            tear_down(state);
            set_up(state);
        }
        live_through(*state, i);
    }
}

/* A report is not made before its time, and by the local clock. */
static void test_time_of_day(void **state)
{
    struct bench *bench = *state;

    zone("Europe/Paris");
    bench->config.report_minute = 7 * 60 + 30;
    bench->now = (struct moment){ .wall = utc("2026-03-28T12:00:00Z"), .mono = 0 };
    put(bench, "fan");
    make_reports(bench);
    bench->now.wall = utc("2026-03-29T05:29:59Z"); /* 07:29:59 of summer time */
    make_reports(bench);
    assert_int_equal(database_number(bench->path, "SELECT count(*) FROM report"), 0);
    bench->now.wall = utc("2026-03-29T05:30:00Z");
    make_reports(bench);
    assert_int_equal(database_number(bench->path, "SELECT count(*) FROM report WHERE date = '2026-03-28'"), 1);
    make_reports(bench);
    assert_int_equal(database_number(bench->path, "SELECT count(*) FROM report"), 1);
}

static void test_every_missed_day(void **state)
{
    struct bench *bench = *state;

    zone("Europe/Paris");
    bench->now = (struct moment){ .wall = utc("2026-10-20T12:00:00Z"), .mono = 0 };
    put(bench, "fan");
    put(bench, "pump");
    make_reports(bench);
    send_aged(bench, "fan", 0);
    assert_int_equal(registry_flush(bench->registry, bench->now), 0);
    stop(bench);
    bench->now = (struct moment){ .wall = utc("2026-11-03T12:00:00Z"), .mono = 5 };
    start(bench);
    send_aged(bench, "fan", 0); /* before the reports are made */
    make_reports(bench);
    assert_int_equal(database_number(bench->path, "SELECT count(*) FROM report"), 2 * 14);
    assert_int_equal(database_number(bench->path, "SELECT count(DISTINCT date) FROM report WHERE machine = 1"), 14);
    assert_int_equal(database_number(bench->path, "SELECT sum(stop - start) FROM report WHERE machine = 1") / HOUR_MS,
                     14 * 24 + 1);
    assert_int_equal(database_number(bench->path, "SELECT sum(idle) FROM report"), 1);
    /* Heard once, at noon of the 20th: silent an hour later, and until noon of the 3rd, of which no report tells yet. */
    assert_int_equal(database_number(bench->path, "SELECT sum(silent_ms) FROM report WHERE machine = 1"),
                     utc("2026-11-02T23:00:00Z") - utc("2026-10-20T13:00:00Z"));
    assert_int_equal(
        database_number(bench->path, "SELECT silent_ms FROM report WHERE machine = 1 AND date = '2026-10-25'"),
        25 * HOUR_MS);
    assert_int_equal(database_number(bench->path, "SELECT sum(silent_ms) FROM report WHERE machine = 2"),
                     0); /* never heard */
}

/* What belongs to a day that is reported counts now, as late; the report stays as it is. */
static void test_late_buffers(void **state)
{
    struct bench *bench = *state;

    zone("UTC");
    bench->now = (struct moment){ .wall = utc("2026-11-20T12:00:00Z"), .mono = 0 };
    put(bench, "fan");
    make_reports(bench);
    send_aged(bench, "fan", 3 * DAY); /* of a day before the first that is reported: where it belongs */
    send_aged(bench, "fan", 0);
    bench->now.wall = utc("2026-11-21T00:09:00Z");
    send_aged(bench, "fan", HOUR_MS); /* in time */
    bench->now.wall = utc("2026-11-21T00:11:00Z");
    make_reports(bench);
    send_aged(bench, "fan", 2 * HOUR_MS);
    send_aged(bench, "fan", 3 * HOUR_MS);
    send_aged(bench, "fan", 5 * MINUTE);
    assert_int_equal(registry_flush(bench->registry, bench->now), 0);
    bench->now.wall = utc("2026-11-22T00:11:00Z");
    make_reports(bench);
    assert_int_equal(database_number(bench->path, "SELECT idle FROM report WHERE date = '2026-11-20'"), 2);
    assert_int_equal(database_number(bench->path, "SELECT late FROM report WHERE date = '2026-11-20'"), 0);
    assert_int_equal(database_number(bench->path, "SELECT idle FROM report WHERE date = '2026-11-21'"), 3);
    assert_int_equal(database_number(bench->path, "SELECT late FROM report WHERE date = '2026-11-21'"), 2);
    assert_int_equal(database_number(bench->path, "SELECT idle FROM hour WHERE start = 1763380800000 + 365 * 86400000"),
                     1);
}

/* A gateway's first day begins with a backlog: its reports begin with that day, and what still comes of the day before is counted
 * there, not as late. */
static void test_backlog_of_the_first_day(void **state)
{
    struct bench *bench = *state;

    zone("UTC");
    bench->now = (struct moment){ .wall = utc("2026-11-20T12:00:00Z"), .mono = 0 };
    put(bench, "fan");
    send_aged(bench, "fan", DAY);
    assert_int_equal(registry_flush(bench->registry, bench->now), 0);
    make_reports(bench);
    send_aged(bench, "fan", DAY);
    assert_int_equal(registry_flush(bench->registry, bench->now), 0);
    assert_int_equal(database_number(bench->path, "SELECT count(*) FROM report"), 0);
    assert_int_equal(database_number(bench->path, "SELECT idle FROM hour WHERE start = 1795089600000"), 2);
    pass(bench, DAY);
    make_reports(bench);
    assert_int_equal(database_number(bench->path, "SELECT count(*) FROM report WHERE date = '2026-11-20' AND idle = 0"),
                     1);
}

/* A machine whose commit failed is to be loaded anew, and just then it cannot be: the day waits for it. */
static void test_a_machine_that_cannot_be_loaded(void **state)
{
    struct bench *bench = *state;
    struct refusal refusal;
    bool more;

    zone("UTC");
    bench->now = (struct moment){ .wall = utc("2026-11-20T12:00:00Z"), .mono = 0 };
    put(bench, "fan");
    put(bench, "pump");
    make_reports(bench);
    pass(bench, DAY);
    database_run(bench->path,
                 "CREATE TRIGGER forbid BEFORE UPDATE ON machine BEGIN SELECT RAISE(ABORT, 'not now'); END");
    assert_int_equal(registry_set_sensitivity(bench->registry, "fan", 2, "", &refusal), REFUSAL_STORE);
    database_run(bench->path, "DROP TRIGGER forbid; ALTER TABLE mute RENAME TO away");
    assert_true(registry_make_reports(bench->registry, bench->now, &more) < 0);
    database_run(bench->path, "ALTER TABLE away RENAME TO mute");
    make_reports(bench);
    assert_int_equal(database_number(bench->path, "SELECT count(*) FROM report"), 2);
}

/* The disk fails, or the power, while reports are made: none is made twice, none is left out, and none tells of a buffer that came
 * meanwhile. */
static void test_making_that_is_interrupted(void **state)
{
    static const char *const faults[] = {
        "BEFORE UPDATE ON reporting BEGIN SELECT 1; END", /* no fault */
        "BEFORE INSERT ON reporting WHEN NEW.made > (SELECT made FROM reporting) BEGIN SELECT RAISE(ABORT, 'not now'); "
        "END",
        "BEFORE INSERT ON report WHEN NEW.machine = 2 BEGIN SELECT RAISE(ABORT, 'not now'); END",
        "BEFORE INSERT ON report WHEN NEW.machine = 255 BEGIN SELECT RAISE(ABORT, 'not now'); END", /* second portion */
    };
    struct bench *bench = *state;
    char text[200], id[MACHINE_ID_SIZE];
    int64_t events = 0;
    bool more;

    zone("UTC");
    bench->now = (struct moment){ .wall = utc("2026-11-20T12:00:00Z"), .mono = 0 };
    for (int i = 0; i < 260; i++) {
        snprintf(id, sizeof(id), "m-%03d", i);
        put_quickly(bench, id);
    }
    settle_age(bench);
    make_reports(bench);
    for (size_t i = 0; i < 2 * COUNT(faults); i++) {
        send_aged(bench, "m-001", 0);
        send_aged(bench, "m-255", 0);
        bench->now.wall += DAY;
        snprintf(text, sizeof(text), "CREATE TRIGGER forbid %s", faults[i / 2]);
        database_run(bench->path, text);
        if (i / 2 > 0)
            assert_true(registry_make_reports(bench->registry, bench->now, &more) < 0);
        send_aged(bench, "m-001", HOUR_MS * 13); /* of the day that is closed, or not yet */
        events += 3;
        if (i % 2 == 1) {
            assert_int_equal(registry_flush(bench->registry, bench->now), 0);
            stop(bench);
        }
        database_run(bench->path, "DROP TRIGGER forbid");
        if (i % 2 == 1)
            start(bench);
        make_reports(bench);
        assert_int_equal(database_number(bench->path, "SELECT count(*) FROM report"), 260 * (int64_t)(i + 1));
        assert_int_equal(database_number(bench->path, "SELECT count(*) FROM outbox WHERE topic = 'm-001/report/daily'"),
                         i + 1);
        assert_int_equal(database_number(bench->path, "SELECT count(*) FROM outbox WHERE topic = 'report/daily'"),
                         i + 1);
        assert_int_equal(registry_flush(bench->registry, bench->now), 0);
        assert_int_equal(
            database_number(bench->path,
                            "SELECT (SELECT sum(idle) FROM report) + (SELECT coalesce(sum(idle), 0) FROM hour "
                            "WHERE start >= (SELECT closed FROM reporting))"),
            events);
        assert_int_equal(
            database_number(bench->path,
                            "SELECT (SELECT sum(idle) FROM report) - (SELECT coalesce(sum(idle), 0) FROM hour "
                            "WHERE start < (SELECT closed FROM reporting))"),
            0);
    }
}

/* The same document whenever it is asked for, also after settings changed. */
static void test_the_same_for_ever(void **state)
{
    struct bench *bench = *state;
    struct report_query query = { .machine = "fan", .limit = 1 };
    struct daily_report first, again;
    struct refusal refusal = { 0 };

    zone("Asia/Kathmandu");
    bench->now = (struct moment){ .wall = utc("2026-11-20T12:00:00Z"), .mono = 0 };
    put(bench, "fan");
    make_reports(bench);
    for (int i = 0; i < 30; i++, pass(bench, 5 * MINUTE))
        send_aged(bench, "fan", 0);
    assert_int_equal(civil_day_of_date("2026-11-20", &query.day), 0);
    pass(bench, DAY);
    make_reports(bench);
    assert_int_equal(registry_reports(bench->registry, &query, bench->now.wall, &first, &refusal), 1);
    assert_string_equal(first.machine, "fan");
    assert_true(first.made != 0 && first.complete);
    assert_int_equal(first.total.idle, 30);
    assert_int_equal(first.total.running_ms, 29 * 5 * MINUTE);
    assert_int_equal(first.total.starts, 1);
    assert_int_equal(registry_set_sensitivity(bench->registry, "fan", 3, "", &refusal), 0);
    assert_int_equal(registry_patch(bench->registry, "fan", "{\"asset\":\"other\"}", 17, "", &refusal), 0);
    send_aged(bench, "fan", DAY);
    restart(bench);
    assert_int_equal(registry_reports(bench->registry, &query, bench->now.wall, &again, &refusal), 1);
    assert_memory_equal(&first, &again, offsetof(struct daily_report, worst));
    assert_string_equal(again.asset, "");
    registry_reports_clear(&first, 1);
    registry_reports_clear(&again, 1);
}

/* A zone that is changed makes no hour count twice, and no date come twice. */
static void test_another_zone(void **state)
{
    static const char *const zones[] = { "Europe/Paris", "America/Los_Angeles", "Pacific/Auckland", "UTC",
                                         "Pacific/Apia" };
    struct bench *bench = *state;
    int64_t events = 0;

    zone("UTC");
    bench->now = (struct moment){ .wall = utc("2026-11-20T12:00:00Z"), .mono = 0 };
    put(bench, "fan");
    for (int i = 0; i < 20 * 24 * 2; i++, pass(bench, HOUR_MS / 2)) {
        if (i % 100 == 99) {
            assert_int_equal(registry_flush(bench->registry, bench->now), 0);
            stop(bench);
            zone(zones[(size_t)i / 100 % COUNT(zones)]);
            start(bench);
        }
        make_reports(bench);
        send_aged(bench, "fan", 0);
        events++;
    }
    restart(bench);
    assert_in_range(database_number(bench->path, "SELECT count(*) FROM report"), 18, 20);
    assert_int_equal(database_number(bench->path, "SELECT count(*) - count(DISTINCT date) FROM report"), 0);
    assert_int_equal(
        database_number(bench->path,
                        "SELECT coalesce((SELECT sum(idle) FROM report), 0) + (SELECT coalesce(sum(idle), 0) "
                        "FROM hour WHERE start >= (SELECT made FROM reporting))"),
        events);
    assert_int_equal(
        database_number(bench->path,
                        "SELECT count(*) FROM report r WHERE start <> coalesce((SELECT max(stop) FROM report "
                        "WHERE stop <= r.start), start)"),
        0);
}

/* ---------------------------------------------------------------------------------------------------------- clocks */

/* T45: the system's clock is set forth and back under load, and nobody confirms it. Time goes on in minutes; what is asked of the
 * guard is what habitd asks. */
static void test_a_clock_that_jumps(void **state)
{
    static const struct {
        int64_t step;
        int minutes; /* until it is set back */
    } steps[] = {
        { 1000, 30 },
        { -1000, 30 },
        { HOUR_MS, 90 },
        { -HOUR_MS, 90 },
        { DAY, 40 },
        { -DAY, 40 },
        { 3650 * (int64_t)DAY, 40 },
        { -3650 * (int64_t)DAY, 40 },
        { -20000 * (int64_t)DAY, 600 }, /* 1970: never believed */
    };
    struct bench *bench = *state;
    struct clock_trust trust = { .begun = false };
    int64_t real = utc("2026-11-20T12:00:00Z"), mono = 1000, begun = real, events = 0, wrong = 0;

    zone("Europe/Paris");
    bench->now = clock_trust_apply(&trust, real, mono, false);
    put(bench, "fan");
    for (int i = 0; i < 12 * 24 * 60; i++, real += MINUTE, mono += MINUTE) {
        size_t step = (size_t)i / 1440 % 12;
        bool off = step > 0 && step <= COUNT(steps) && i % 1440 >= 660 &&
                   i % 1440 < 660 + steps[step - 1].minutes; /* 23:00 local and later */

        bench->now = clock_trust_apply(&trust, real + (off ? steps[step - 1].step : 0), mono, false);
        wrong += bench->now.doubtful;
        make_reports(bench);
        if (i % 10 == 0) {
            send_aged(bench, "fan", 0);
            events++;
        }
    }
    assert_int_equal(wrong, 4 * 40 + 600);
    assert_int_equal(registry_flush(bench->registry, bench->now), 0);
    assert_int_equal(database_number(bench->path, "SELECT count(*) FROM report"), 12);
    assert_int_equal(database_number(bench->path, "SELECT count(DISTINCT date) FROM report"), 12);
    assert_int_equal(database_number(bench->path, "SELECT max(stop) - min(start) FROM report"), 12 * DAY);
    assert_int_equal(database_number(bench->path, "SELECT sum(idle) FROM hour"), events);
    assert_int_equal(
        database_number(bench->path,
                        "SELECT (SELECT sum(idle) FROM report) + (SELECT sum(idle) FROM hour WHERE start >= "
                        "(SELECT made FROM reporting))"),
        events);
    assert_in_range(database_number(bench->path, "SELECT sum(untrusted) FROM hour"), 60, 80);
    assert_int_equal(
        database_number(bench->path, "SELECT count(*) FROM hour WHERE start < 1700000000000 OR start > 2000000000000"),
        0);
    assert_true(real > begun);
}

/* A gateway without a battery starts in 1970, and hears of the time a while later. */
static void test_a_clock_that_starts_in_1970(void **state)
{
    struct bench *bench = *state;
    struct clock_trust trust = { .begun = false };

    zone("Europe/Paris");
    for (int i = 0; i < 30; i++) {
        bench->now = clock_trust_apply(&trust, 5000 + i * MINUTE, 5000 + i * MINUTE, false);
        assert_true(bench->now.doubtful);
        if (i == 0)
            put(bench, "fan");
        make_reports(bench);
        send_aged(bench, "fan", 0);
    }
    assert_int_equal(registry_flush(bench->registry, bench->now), 0);
    for (int64_t i = 30; i < 3 * 1440; i++) {
        bench->now = clock_trust_apply(&trust, utc("2026-11-20T12:00:00Z") + i * MINUTE, 5000 + i * MINUTE, true);
        assert_false(bench->now.doubtful);
        make_reports(bench);
        if (i % 10 == 0)
            send_aged(bench, "fan", 0);
    }
    assert_int_equal(database_number(bench->path, "SELECT count(*) FROM report"), 3); /* 20, 21, 22 */
    assert_int_equal(database_number(bench->path, "SELECT count(DISTINCT date) FROM report WHERE date >= '2026-11-20'"),
                     3);
    assert_int_equal(database_number(bench->path, "SELECT sum(idle) FROM hour WHERE start < 86400000"), 30);
    assert_int_equal(database_number(bench->path, "SELECT sum(untrusted) FROM hour"), 30);
}

/* A clock that was believed for days and is far ahead: after it is mended, each day has its report again. */
static void test_a_clock_that_was_ten_years_ahead(void **state)
{
    struct bench *bench = *state;

    zone("UTC");
    bench->now = (struct moment){ .wall = utc("2026-11-20T12:00:00Z"), .mono = 0 };
    put(bench, "fan");
    make_reports(bench);
    bench->now.wall = utc("2036-11-20T12:00:00Z");
    make_reports(bench);
    assert_int_equal(database_number(bench->path, "SELECT count(*) FROM report"), LIMIT_REPORTS); /* bounded */
    bench->now.wall = utc("2026-11-21T12:00:00Z");
    make_reports(bench);
    send_aged(bench, "fan", 0);
    bench->now.wall = utc("2026-11-22T12:00:00Z");
    make_reports(bench);
    assert_int_equal(database_number(bench->path, "SELECT idle FROM report WHERE date = '2026-11-21'"), 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_days_of_all_kinds),
        TEST(test_time_of_day),
        TEST(test_every_missed_day),
        TEST(test_late_buffers),
        TEST(test_backlog_of_the_first_day),
        TEST(test_a_machine_that_cannot_be_loaded),
        TEST(test_making_that_is_interrupted),
        TEST(test_the_same_for_ever),
        TEST(test_another_zone),
        TEST(test_a_clock_that_jumps),
        TEST(test_a_clock_that_starts_in_1970),
        TEST(test_a_clock_that_was_ten_years_ahead),
    };

    return cmocka_run_group_tests_name("reporting", tests, NULL, NULL);
}
