/* Civil days of zones where the clocks change in every way there is, and the sums over them. Whatever the zone does: days lie
 * end to end, and every moment, and so every hour that counted something, is in exactly one. */
#include "support.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "report/daily.h"
#include "report/group.h"
#include "report/history.h"

static const int64_t minute = 60000, day_ms = 24 * (int64_t)HOUR_MS;

/* A report at once. */
static void daily_report_make(struct daily_report *report, const struct civil_day *day, const char *machine,
                              const char *asset, const struct hour *hours, size_t count, int64_t now)
{
    daily_report_begin(report, day, machine, asset);
    for (size_t i = 0; i < count; i++)
        daily_report_add(report, &hours[i]);
    daily_report_end(report, now);
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

/* Days with another length than 24 h, or another start than 00:00, or both; `from` in UTC. */
static const struct {
    const char *zone, *date, *from;
    double hours;
} days[] = {
    { "UTC", "2026-11-22", "2026-11-22T00:00:00Z", 24 },
    { "Europe/Paris", "2026-03-28", "2026-03-27T23:00:00Z", 24 },
    { "Europe/Paris", "2026-03-29", "2026-03-28T23:00:00Z", 23 },
    { "Europe/Paris", "2026-03-30", "2026-03-29T22:00:00Z", 24 },
    { "Europe/Paris", "2026-10-25", "2026-10-24T22:00:00Z", 25 },
    { "Europe/Paris", "2026-10-26", "2026-10-25T23:00:00Z", 24 },
    { "Australia/Lord_Howe", "2026-04-05", "2026-04-04T13:00:00Z", 24.5 },
    { "Australia/Lord_Howe", "2026-04-06", "2026-04-05T13:30:00Z", 24 },
    { "Australia/Lord_Howe", "2026-10-04", "2026-10-03T13:30:00Z", 23.5 },
    { "Australia/Lord_Howe", "2026-10-05", "2026-10-04T13:00:00Z", 24 },
    { "America/Sao_Paulo", "2018-11-03", "2018-11-03T03:00:00Z", 24 },
    { "America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00:00Z", 23 }, /* begins at 01:00 */
    { "America/Sao_Paulo", "2018-02-17", "2018-02-17T02:00:00Z", 25 }, /* 23:00 to 24:00 twice */
    { "America/Havana", "2026-03-08", "2026-03-08T05:00:00Z", 23 },    /* begins at 01:00 */
    { "America/Havana", "2026-11-01", "2026-11-01T04:00:00Z", 25 },    /* 00:00 to 01:00 twice */
    { "America/Havana", "2026-11-02", "2026-11-02T05:00:00Z", 24 },
    { "America/Santiago", "2026-09-06", "2026-09-06T04:00:00Z", 23 },
    { "America/Santiago", "2026-04-04", "2026-04-04T03:00:00Z", 25 },
    { "America/Santiago", "2026-04-05", "2026-04-05T04:00:00Z", 24 },
    { "Africa/Cairo", "2026-04-24", "2026-04-23T22:00:00Z", 23 },
    { "Africa/Cairo", "2026-10-29", "2026-10-28T21:00:00Z", 25 },
    { "Asia/Beirut", "2026-03-29", "2026-03-28T22:00:00Z", 23 },
    { "Asia/Beirut", "2026-10-24", "2026-10-23T21:00:00Z", 25 },
    { "Asia/Kathmandu", "2026-11-22", "2026-11-21T18:15:00Z", 24 },
    { "Pacific/Apia", "2011-12-29", "2011-12-29T10:00:00Z", 24 },
    { "Pacific/Apia", "2011-12-31", "2011-12-30T10:00:00Z", 24 },
    { "America/St_Johns", "2010-03-14", "2010-03-14T03:30:00Z", 23 }, /* changes at 00:01 */
    { "Pacific/Kiritimati", "1994-12-30", "1994-12-30T10:00:00Z", 24 },
    { "Pacific/Kiritimati", "1995-01-01", "1994-12-31T10:00:00Z", 24 },
};

static void test_days(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(days); i++) {
        struct civil_day day;

        zone(days[i].zone);
        if (civil_day_of_date(days[i].date, &day) != 0)
            fail_msg("%s in %s is no day", days[i].date, days[i].zone);
        assert_string_equal(day.date, days[i].date);
        if (day.from != utc(days[i].from) || (double)(day.to - day.from) / HOUR_MS != days[i].hours) {
            char from[CLOCK_TEXT_SIZE];

            fail_msg("%s in %s: from %s, %g h", day.date, days[i].zone, clock_text(day.from, from),
                     (double)(day.to - day.from) / HOUR_MS);
        }
    }
}

static void test_a_date_that_a_zone_left_out(void **state)
{
    struct civil_day before, after, none;

    (void)state;
    zone("Pacific/Apia");
    assert_int_equal(civil_day_of_date("2011-12-30", &none), -EINVAL);
    assert_int_equal(civil_day_of_date("2012-12-30", &none), 0);
    assert_int_equal(civil_day_of_date("2011-12-29", &before), 0);
    assert_int_equal(civil_day_of_date("2011-12-31", &after), 0);
    assert_int_equal(before.to, after.from);
    civil_day_of_time(before.to - 1, &none);
    assert_string_equal(none.date, "2011-12-29");
    civil_day_of_time(before.to, &none);
    assert_string_equal(none.date, "2011-12-31");
}

static bool same_day(const struct civil_day *a, const struct civil_day *b)
{
    return strcmp(a->date, b->date) == 0 && a->from == b->from && a->to == b->to;
}

static void check_moment(const char *name, const struct civil_day *day, int64_t wall)
{
    struct civil_day found;

    civil_day_of_time(wall, &found);
    if (!same_day(day, &found))
        fail_msg("%s: %lld is in %s (%lld to %lld), not in %s (%lld to %lld)", name, (long long)wall, found.date,
                 (long long)found.from, (long long)found.to, day->date, (long long)day->from, (long long)day->to);
}

/* Walks from day to day by `to`: so days are end to end by construction, and each moment between is asked for its day. */
static void walk(const char *name, int64_t from, int64_t to, int64_t step)
{
    struct civil_day day, by_date, last = { .from = 0 };

    zone(name);
    civil_day_of_time(from, &day);
    assert_true(day.from <= from && from < day.to);
    while (day.from < to) {
        if (day.to <= day.from || day.to - day.from > REPORT_HOURS * (int64_t)HOUR_MS)
            fail_msg("%s: %s has %lld ms", name, day.date, (long long)(day.to - day.from));
        if (civil_day_of_date(day.date, &by_date) != 0 || !same_day(&day, &by_date))
            fail_msg("%s: %s by date is another", name, day.date);
        for (int64_t at = day.from; at < day.to; at += step)
            check_moment(name, &day, at);
        check_moment(name, &day, day.to - 1);
        assert_true(strcmp(last.date, day.date) < 0);
        last = day;
        civil_day_of_time(day.to, &day);
        if (day.from != last.to)
            fail_msg("%s: %s ends at %lld, %s begins at %lld", name, last.date, (long long)last.to, day.date,
                     (long long)day.from);
    }
}

static void test_every_moment_is_in_exactly_one_day(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(days); i++)
        walk(days[i].zone, utc(days[i].from) - 2 * day_ms, utc(days[i].from) + 3 * day_ms, 5 * minute);
}

static void test_years_end_to_end(void **state)
{
    static const char *const zones[] = {
        "UTC",
        "Europe/Paris",
        "Europe/London",
        "Europe/Dublin",
        "Australia/Lord_Howe",
        "America/Havana",
        "America/Santiago",
        "Africa/Cairo",
        "Africa/Casablanca",
        "Asia/Beirut",
        "Asia/Kathmandu",
        "Asia/Gaza",
        "Pacific/Apia",
        "Pacific/Chatham",
        "America/Scoresbysund",
        "America/Asuncion",
        "Asia/Tehran",
        "Antarctica/Troll",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(zones); i++)
        walk(zones[i], utc("2025-12-30T00:00:00Z"), utc("2028-01-03T00:00:00Z"), 7 * (int64_t)HOUR_MS);
    walk("Pacific/Apia", utc("2009-12-30T00:00:00Z"), utc("2013-01-03T00:00:00Z"), 7 * (int64_t)HOUR_MS);
    walk("America/Sao_Paulo", utc("2016-12-30T00:00:00Z"), utc("2020-01-03T00:00:00Z"), 7 * (int64_t)HOUR_MS);
}

/* In 2010 St John's went from 00:01 back to 23:01 of the day before: the first minute of Sunday, then an hour of Saturday
 * again. One of the two days must have it all, and no moment may be lost. */
static void test_a_clock_that_goes_back_over_midnight(void **state)
{
    struct civil_day saturday, sunday, day;

    (void)state;
    zone("America/St_Johns");
    assert_int_equal(civil_day_of_date("2010-11-06", &saturday), 0);
    assert_int_equal(civil_day_of_date("2010-11-07", &sunday), 0);
    assert_int_equal(saturday.to, sunday.from);
    assert_int_equal(sunday.to - saturday.from, 49 * (int64_t)HOUR_MS);
    for (int64_t at = saturday.from; at < sunday.to; at += minute / 2) {
        civil_day_of_time(at, &day);
        if (!same_day(&day, at < saturday.to ? &saturday : &sunday))
            fail_msg("%lld is in %s", (long long)at, day.date);
    }
}

/* A gateway without a clock starts here. */
static void test_the_beginning_of_time(void **state)
{
    (void)state;
    walk("UTC", 0, 2 * day_ms, HOUR_MS);
    walk("Asia/Kathmandu", 0, 2 * day_ms, HOUR_MS);
    walk("America/Havana", 0, 2 * day_ms, HOUR_MS);
    walk("UTC", -2 * day_ms + 1, day_ms, HOUR_MS);
}

static void test_later_than_32_bits(void **state)
{
    (void)state;
    walk("Europe/Paris", utc("2038-01-17T00:00:00Z"), utc("2038-01-21T00:00:00Z"), HOUR_MS);
    walk("Europe/Paris", utc("2106-02-05T00:00:00Z"), utc("2106-02-09T00:00:00Z"), HOUR_MS);
}

static void test_texts_that_are_no_date(void **state)
{
    static const char *const wrong[] = {
        "",           "today",      "2026",        "2026-11",     "2026-11-31",
        "2026-02-29", "2026-02-30", "2026-13-01",  "2026-00-10",  "2026-01-00",
        "2026-1-1",   "2026-11-2",  "2026-11-022", "2026-11- 2",  "2026- 1-02",
        " 2026-11-2", "  2026-1-2", "+026-11-22",  "2026-11-22 ", "2026-11-22T00:00:00Z",
        "2026/11/22", "20261122",   "22-11-2026",  "-026-11-22",  "12026-1-22",
        "2026-11-+2", "1e18",
    };

    (void)state;
    zone("Europe/Paris");
    for (size_t i = 0; i < COUNT(wrong); i++) {
        struct civil_day day;

        if (civil_day_of_date(wrong[i], &day) != -EINVAL)
            fail_msg("taken: '%s'", wrong[i]);
    }
}

/* ------------------------------------------------------------------------------------------------------------- sums */

static struct hour hour_with(int64_t start, uint32_t n)
{
    struct hour hour = { .start = start, .similarity_min = 101 };

#define HOUR_FILL(name, help) hour.name = n;
    HOUR_COUNTERS(HOUR_FILL)
#undef HOUR_FILL
    hour.similarity_sum = 90.0 * n;
    hour.log_distance_sum = -0.25 * n;
    hour.anomaly_ms = 1000 * (uint64_t)n;
    hour.similarity_min = n > 0 ? 100 - n % 50 : 101;
    return hour;
}

static void check_counters(const struct hour *hour, uint64_t n)
{
#define HOUR_CHECK(name, help) assert_int_equal(hour->name, n);
    HOUR_COUNTERS(HOUR_CHECK)
#undef HOUR_CHECK
    assert_int_equal(hour->anomaly_ms, 1000 * n);
    assert_true(hour->similarity_sum == 90.0 * (double)n);
    assert_true(hour->log_distance_sum == -0.25 * (double)n);
}

static void test_empty_day(void **state)
{
    struct daily_report report;
    struct civil_day day;

    (void)state;
    zone("UTC");
    assert_int_equal(civil_day_of_date("2026-11-22", &day), 0);
    daily_report_make(&report, &day, "pump-1", "pump", NULL, 0, day.to);
    assert_string_equal(report.machine, "pump-1");
    assert_string_equal(report.asset, "pump");
    assert_true(same_day(&report.day, &day));
    assert_true(report.hours == 24 && report.complete);
    assert_int_equal(report.hour_count, 24);
    for (size_t i = 0; i < report.hour_count; i++) {
        check_counters(&report.hour[i], 0);
        assert_int_equal(report.hour[i].start, day.from + (int64_t)i * HOUR_MS);
        assert_int_equal(report.hour[i].similarity_min, 101);
    }
    check_counters(&report.total, 0);
    assert_int_equal(report.total.start, day.from);
    assert_int_equal(report.total.similarity_min, 101);
    assert_true(report.anomalies_per_hour == 0);
    assert_true(isnan(report.similarity_mean));
}

static void test_sums_of_a_day(void **state)
{
    struct daily_report report;
    struct civil_day day;
    struct hour hours[5];

    (void)state;
    zone("Europe/Paris");
    assert_int_equal(civil_day_of_date("2026-10-25", &day), 0);
    hours[0] = hour_with(day.to - HOUR_MS, 3); /* any order */
    hours[1] = hour_with(day.from - HOUR_MS, 1000);
    hours[2] = hour_with(day.from, 7);
    hours[3] = hour_with(day.to, 1000);
    hours[4] = hour_with(day.from + 5 * (int64_t)HOUR_MS, 0);
    daily_report_make(&report, &day, "a", "", hours, 5, day.to + 1);
    assert_int_equal(report.hour_count, 25);
    assert_true(report.hours == 25);
    check_counters(&report.total, 10);
    check_counters(&report.hour[0], 7);
    check_counters(&report.hour[24], 3);
    check_counters(&report.hour[5], 0);
    assert_int_equal(report.total.similarity_min, 93);
    assert_int_equal(report.hour[24].similarity_min, 97);
    assert_true(report.similarity_mean == 90.0);
    assert_true(fabs(report.anomalies_per_hour - 10.0 / 25) < 1e-12);
}

static void test_a_day_that_is_not_over(void **state)
{
    struct daily_report report;
    struct civil_day day;
    struct hour hour;

    (void)state;
    zone("Europe/Paris");
    assert_int_equal(civil_day_of_date("2026-11-22", &day), 0);
    hour = hour_with(day.from, 6);
    daily_report_make(&report, &day, "a", "", &hour, 1, day.from + 12 * (int64_t)HOUR_MS);
    assert_false(report.complete);
    assert_true(fabs(report.anomalies_per_hour - 0.5) < 1e-12);
    assert_true(report.hours == 24);
    daily_report_make(&report, &day, "a", "", &hour, 1, day.to - 1);
    assert_false(report.complete);
    daily_report_make(&report, &day, "a", "", &hour, 1, day.to);
    assert_true(report.complete);
    assert_true(fabs(report.anomalies_per_hour - 0.25) < 1e-12);
    daily_report_make(&report, &day, "a", "", &hour, 1, day.from); /* the first moment: no division by zero */
    assert_true(isfinite(report.anomalies_per_hour));
    daily_report_make(&report, &day, "a", "", &hour, 1, day.from - 5); /* a clock that goes back */
    assert_true(isfinite(report.anomalies_per_hour) && report.anomalies_per_hour >= 0);
    assert_false(report.complete);
}

/* T46: one report each, events sum exactly, in zones with half and quarter hours too. */
static void test_reports_of_successive_days_sum_exactly(void **state)
{
    static struct hour hours[8 * 24];

    (void)state;
    for (size_t i = 0; i < COUNT(days); i++) {
        struct daily_report report;
        struct civil_day day;
        uint64_t seed = 7 + i, all = 0, found = 0, rows = 0, split = 0;
        int64_t start;

        zone(days[i].zone);
        civil_day_of_time(utc(days[i].from) - 3 * day_ms, &day);
        start = day.from / HOUR_MS * HOUR_MS + (day.from % HOUR_MS != 0 ? HOUR_MS : 0);
        for (size_t h = 0; h < COUNT(hours); h++) {
            uint32_t n = chance_below(&seed, 100);

            hours[h] = hour_with(start + (int64_t)h * HOUR_MS, n);
            all += n;
        }
        while (day.from < start + (int64_t)COUNT(hours) * HOUR_MS) {
            daily_report_make(&report, &day, "a", "", hours, COUNT(hours), day.to);
            assert_in_range(report.hour_count, 22, REPORT_HOURS);
            check_counters(&report.total, report.total.learned);
            for (size_t h = 0, sum = 0; h < report.hour_count; h++) {
                sum += report.hour[h].learned;
                assert_true(h < report.hour_count - 1 || sum == report.total.learned);
            }
            found += report.total.learned;
            rows += report.hour_count;
            split += day.from % HOUR_MS != 0; /* that hour of UTC has two rows */
            civil_day_of_time(day.to, &day);
        }
        assert_int_equal(found, all);
        assert_true(rows >= COUNT(hours)); /* no hour in two days, none in no day */
        assert_true(rows <= COUNT(hours) + split + 26);
    }
}

static void test_long_names_are_kept_whole(void **state)
{
    struct daily_report report;
    struct civil_day day;
    char machine[MACHINE_ID_SIZE], asset[64];

    (void)state;
    memset(machine, 'm', sizeof(machine));
    machine[sizeof(machine) - 1] = '\0';
    memset(asset, 'a', sizeof(asset));
    asset[sizeof(asset) - 1] = '\0';
    civil_day_of_time(0, &day);
    daily_report_make(&report, &day, machine, asset, NULL, 0, 0);
    assert_string_equal(report.machine, machine);
    assert_string_equal(report.asset, asset);
}

/* ------------------------------------------------------------------------------------------------ groups and history */

static void test_groups(void **state)
{
    static struct daily_report report[3];
    struct group_report group;
    struct civil_day day;

    (void)state;
    zone("UTC");
    assert_int_equal(civil_day_of_date("2026-11-22", &day), 0);
    for (size_t i = 0; i < 3; i++) {
        struct hour hour = hour_with(day.from, i < 2 ? 12 * (uint32_t)(i + 1) : 0);
        char id[] = { (char)('a' + (int)i), '\0' };

        daily_report_make(&report[i], &day, id, "pump", &hour, 1, day.to);
    }
    report[0].trend = (struct trend){ .rising = true, .to_line = 9, .to_line_low = 7, .to_line_high = 12 };
    report[1].trend = (struct trend){ .rising = true, .to_line = 4, .to_line_low = 3, .to_line_high = 8 };
    group_begin(&group, &day, "pump");
    for (size_t i = 0; i < 3; i++)
        group_add(&group, &report[i]);
    group_end(&group, day.to);
    check_counters(&group.total, 36);
    assert_int_equal(group.machines, 3);
    assert_int_equal(group.heard, 2);
    assert_true(fabs(group.anomalies_per_hour - 36.0 / 24 / 3) < 1e-12);
    assert_true(group.similarity_mean == 90);
    assert_string_equal(group.worst, "b"); /* longest in anomaly */
    assert_int_equal(group.rising, 2);
    assert_string_equal(group.next, "b");
    assert_true(group.to_line == 4 && group.to_line_low == 3 && group.to_line_high == 8);
    group_begin(&group, &day, "");
    group_end(&group, day.to);
    assert_true(isnan(group.similarity_mean) && group.anomalies_per_hour == 0 && group.worst[0] == '\0');
}

static void test_worst_of_equals_has_the_lowest_similarity(void **state)
{
    static struct daily_report report;
    struct group_report group;
    struct civil_day day;

    (void)state;
    civil_day_of_time(0, &day);
    group_begin(&group, &day, "");
    for (uint32_t i = 0; i < 3; i++) {
        struct hour hour = { .start = day.from, .detected = 1, .similarity_min = i == 1 ? 20 : 60 };
        char id[] = { (char)('a' + (int)i), '\0' };

        daily_report_make(&report, &day, id, "", &hour, 1, day.to);
        group_add(&group, &report);
    }
    assert_string_equal(group.worst, "b");
}

static void test_history(void **state)
{
    struct history_point points[4];
    struct hour hours[5];
    int64_t from = utc("2026-11-21T22:00:00Z");

    (void)state;
    zone("UTC");
    for (size_t i = 0; i < 4; i++) /* 22, 23, 00, 01 */
        hours[i] = hour_with(from + (int64_t)i * HOUR_MS, (uint32_t)i + 1);
    hours[4] = hour_with(from + 30 * (int64_t)HOUR_MS, 7);
    assert_int_equal(history_make(hours, 5, from, 0, points, 4), 3);
    check_counters(&points[0].sum, 3);
    check_counters(&points[1].sum, 7);
    assert_int_equal(points[0].sum.start, utc("2026-11-21T00:00:00Z"));
    assert_int_equal(points[1].to, utc("2026-11-23T00:00:00Z"));
    assert_int_equal(history_make(hours, 5, from - HOUR_MS, 2, points, 4), 4);
    check_counters(&points[0].sum, 1);
    check_counters(&points[1].sum, 5);
    assert_int_equal(points[3].sum.start, from + 29 * (int64_t)HOUR_MS);
    assert_int_equal(points[3].to, from + 31 * (int64_t)HOUR_MS);
    assert_int_equal(history_make(hours, 5, from, 1, points, 4), 5); /* what is beyond is counted, not written */
    check_counters(&points[3].sum, 4);
    assert_int_equal(history_make(NULL, 0, from, 1, points, 4), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_days),
        cmocka_unit_test(test_a_date_that_a_zone_left_out),
        cmocka_unit_test(test_every_moment_is_in_exactly_one_day),
        cmocka_unit_test(test_years_end_to_end),
        cmocka_unit_test(test_a_clock_that_goes_back_over_midnight),
        cmocka_unit_test(test_the_beginning_of_time),
        cmocka_unit_test(test_later_than_32_bits),
        cmocka_unit_test(test_texts_that_are_no_date),
        cmocka_unit_test(test_empty_day),
        cmocka_unit_test(test_sums_of_a_day),
        cmocka_unit_test(test_a_day_that_is_not_over),
        cmocka_unit_test(test_reports_of_successive_days_sum_exactly),
        cmocka_unit_test(test_long_names_are_kept_whole),
        cmocka_unit_test(test_groups),
        cmocka_unit_test(test_worst_of_equals_has_the_lowest_similarity),
        cmocka_unit_test(test_history),
    };

    return cmocka_run_group_tests_name("report", tests, NULL, NULL);
}
