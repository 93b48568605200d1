/* Moments as text: what clock_text writes clock_parse reads; dates that do not exist, and forms that are nearly RFC 3339, are
 * refused and leave the result alone. */
#include "support.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"

static const struct {
    const char *text;
    int64_t wall;
} moments[] = {
    { "1970-01-01T00:00:00.000Z", 0 },
    { "1970-01-01T00:00:00.001Z", 1 },
    { "1969-12-31T23:59:59.999Z", -1 },
    { "1969-12-31T23:59:59.000Z", -1000 },
    { "1969-12-31T23:59:58.999Z", -1001 },
    { "2026-11-22T13:19:31.250Z", INT64_C(1795353571250) },
    { "2038-01-19T03:14:08.000Z", INT64_C(2147483648000) },
    { "2106-02-07T06:28:16.000Z", INT64_C(4294967296000) },
    { "2000-02-29T00:00:00.000Z", INT64_C(951782400000) },
    { "9999-12-31T23:59:59.999Z", INT64_C(253402300799999) },
    { "0000-01-01T00:00:00.000Z", INT64_C(-62167219200000) },
};

static void test_moments_both_ways(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(moments); i++) {
        char text[CLOCK_TEXT_SIZE];
        int64_t wall;

        assert_true(clock_text(moments[i].wall, text) == text);
        assert_string_equal(text, moments[i].text);
        assert_int_equal(clock_parse(text, &wall), 0);
        assert_int_equal(wall, moments[i].wall);
    }
}

static void test_round_trip_of_random_moments(void **state)
{
    uint64_t seed = chance_seed();

    (void)state;
    for (int i = 0; i < 200000; i++) {
        int64_t wall = CLOCK_FIRST + (int64_t)(chance(&seed) % (uint64_t)(CLOCK_LAST - CLOCK_FIRST + 1)),
                back = wall + 1;
        char text[CLOCK_TEXT_SIZE];

        if (clock_parse(clock_text(wall, text), &back) != 0 || back != wall)
            fail_msg("%lld became %s", (long long)wall, text);
    }
}

static void test_the_zone_of_the_process_does_not_matter(void **state)
{
    int64_t wall;
    char text[CLOCK_TEXT_SIZE];

    (void)state;
    setenv("TZ", "Asia/Kathmandu", 1);
    tzset();
    assert_string_equal(clock_text(0, text), "1970-01-01T00:00:00.000Z");
    assert_int_equal(clock_parse("1970-01-01T00:00:00Z", &wall), 0);
    assert_int_equal(wall, 0);
    unsetenv("TZ");
    tzset();
}

/* All of these are the same moment, but for the milliseconds. */
static const struct {
    const char *text;
    int64_t milliseconds;
} forms[] = {
    { "2026-11-22T13:19:31Z", 0 },
    { "2026-11-22T13:19:31z", 0 },
    { "2026-11-22T13:19:31+00:00", 0 },
    { "2026-11-22T13:19:31-00:00", 0 },
    { "2026-11-22T14:19:31+01:00", 0 },
    { "2026-11-22T19:04:31+05:45", 0 },
    { "2026-11-22T07:49:31-05:30", 0 },
    { "2026-11-23T03:19:31+14:00", 0 },
    { "2026-11-21T13:20:31-23:59", 0 },
    { "2026-11-23T13:18:31+23:59", 0 },
    { "2026-11-22T13:19:31.2Z", 200 },
    { "2026-11-22T13:19:31.25Z", 250 },
    { "2026-11-22T13:19:31.250Z", 250 },
    { "2026-11-22T13:19:31.250999999Z", 250 }, /* cut, not rounded: else 59.9999 became the next minute */
    { "2026-11-22T13:19:31.0000000000000000000Z", 0 },
    { "2026-11-22T14:19:31.007+01:00", 7 },
};

static void test_first_and_last_moment(void **state)
{
    int64_t wall = 0;

    (void)state;
    assert_int_equal(clock_parse("0000-01-01T14:00:00+14:00", &wall), 0);
    assert_true(wall == CLOCK_FIRST);
    assert_int_equal(clock_parse("9999-12-31T09:59:59.999-14:00", &wall), 0);
    assert_true(wall == CLOCK_LAST);
}

static void test_forms_of_one_moment(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(forms); i++) {
        int64_t wall = 0;

        if (clock_parse(forms[i].text, &wall) != 0 || wall != INT64_C(1795353571000) + forms[i].milliseconds)
            fail_msg("%s became %lld", forms[i].text, (long long)wall);
    }
}

static const char *const wrong[] = {
    "",
    "Z",
    "now",
    "0",
    "1795353571",
    "1e18",
    "2026",
    "2026-11-22",
    "2026-11-22T",
    "2026-11-22T13:19",
    "2026-11-22T13:19Z",
    "2026-11-22T13:19:31", /* no zone: whose time would it be? */
    "2026-11-22 13:19:31Z",
    " 2026-11-22T13:19:31Z",
    "2026-11-22T13:19:31Z ",
    "2026-11-22T13:19:31 Z",
    "2026-11-22T13:19:31ZZ",
    "2026-11-22T13:19:31Zjunk",
    "2026-11-22T13:19:31.Z",
    "2026-11-22T13:19:31,250Z",
    "2026-11-22T13:19:31.2.5Z",
    "2026-11-22T13:19:31.-5Z",
    "2026-11-22T13:19:31+1",
    "2026-11-22T13:19:31+1:00",
    "2026-11-22T13:19:31+01",
    "2026-11-22T13:19:31+0100",
    "2026-11-22T13:19:31+24:00",
    "2026-11-22T13:19:31+00:60",
    "2026-11-22T13:19:31+-1:00",
    "2026-11-22T13:19:31+ 1: 0",
    "2026-11-22T13:19:31+01:00Z",
    "2026-11-22T13:19:31UTC",
    "2026-11-22T13:19:31[UTC]",
    "2026-11-22T13:19:31++1:00",
    "26-11-22T13:19:31Z",
    "226-11-22T13:19:31Z",
    "02026-11-22T13:19:31Z",
    "10000-01-01T00:00:00Z",
    "+2026-11-22T13:19:31Z",
    "-026-11-22T13:19:31Z",
    "2026-1-22T13:19:31Z",
    "2026-11-2T13:19:31Z",
    "2026-11-22T3:19:31Z",
    "2026-11-22T13:9:31Z",
    "2026-11-22T13:19:1Z",
    "2026- 1- 2T 3: 4: 5Z",
    "2026-11-22T13:19:31.25",
    "2026/11/22T13:19:31Z",
    "2026-11-22T13.19.31Z",
    "20261122T131931Z",
    "2026-W47-7T13:19:31Z",
    "2026-00-22T13:19:31Z",
    "2026-13-22T13:19:31Z",
    "2026-11-00T13:19:31Z",
    "2026-11-31T13:19:31Z",
    "2026-01-32T13:19:31Z",
    "2026-02-29T00:00:00Z",
    "1900-02-29T00:00:00Z",
    "2100-02-29T00:00:00Z",
    "2026-02-30T00:00:00Z",
    "2026-04-31T00:00:00Z",
    "2026-11-22T24:00:00Z",
    "2026-11-22T25:00:00Z",
    "2026-11-22T13:60:00Z",
    "2026-11-22T13:19:61Z",
    "2026-11-22T13:19:99Z",
    "2026-03-29T02:30",
    "23:59:60",
    "9999-12-31T23:59:59.999-00:01", /* in the year 10000 of UTC */
    "9999-12-31T23:59:60Z",
    "0000-01-01T00:00:00+00:01",
    "\xd9\xa2\xd9\xa0\xd9\xa2\xd9\xa6-11-22T13:19:31Z",
    "2026-11-22T13:19:31\342\210\22201:00",
};

static void test_other_forms_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(wrong); i++) {
        int64_t wall = 4711;

        if (clock_parse(wrong[i], &wall) != -EINVAL)
            fail_msg("'%s' became %lld", wrong[i], (long long)wall);
        assert_int_equal(wall, 4711);
    }
}

static void test_every_truncation_is_refused(void **state)
{
    static const char text[] = "2026-11-22T13:19:31.250+01:00";
    char cut[sizeof(text)];
    int64_t wall;

    (void)state;
    for (size_t length = 0; length < strlen(text); length++) {
        memcpy(cut, text, length);
        cut[length] = '\0';
        if (clock_parse(cut, &wall) != -EINVAL)
            fail_msg("'%s'", cut);
    }
    assert_int_equal(clock_parse(text, &wall), 0);
}

static void test_days_that_exist(void **state)
{
    static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    static const int years[] = { 1900, 1999, 2000, 2024, 2026, 2100, 2400 };

    (void)state;
    for (size_t y = 0; y < COUNT(years); y++)
        for (int month = 1; month <= 12; month++)
            for (int day = 1; day <= 31; day++) {
                bool leap = years[y] % 4 == 0 && (years[y] % 100 != 0 || years[y] % 400 == 0);
                bool exists = day <= days[month - 1] + (month == 2 && leap);
                char text[40];
                int64_t wall;

                snprintf(text, sizeof(text), "%04d-%02d-%02dT23:59:59Z", years[y], month, day);
                if ((clock_parse(text, &wall) == 0) != exists)
                    fail_msg("%s", text);
            }
}

/* A clock that follows UTC strictly says 23:59:60 once in some years; its buffer shall not be lost for it. */
static void test_leap_second_is_the_one_after(void **state)
{
    int64_t leap, after;

    (void)state;
    assert_int_equal(clock_parse("2017-01-01T00:00:00Z", &after), 0);
    assert_int_equal(clock_parse("2016-12-31T23:59:60Z", &leap), 0);
    assert_int_equal(leap, after);
    assert_int_equal(clock_parse("2017-01-01T00:59:60+01:00", &leap), 0);
    assert_int_equal(leap, after);
    assert_int_equal(clock_parse("2016-12-31T23:58:60Z", &leap), -EINVAL);
}

static void test_extreme_moments_fit(void **state)
{
    static const int64_t extremes[] = { INT64_MIN, INT64_MIN + 1, INT64_MAX, INT64_MAX - 1,
                                        INT64_C(1000000000000000000) };
    struct {
        char text[CLOCK_TEXT_SIZE], behind[8];
    } room;

    (void)state;
    for (size_t i = 0; i < COUNT(extremes); i++) {
        memset(&room, 'x', sizeof(room));
        clock_text(extremes[i], room.text);
        assert_non_null(memchr(room.text, '\0', sizeof(room.text)));
        assert_int_equal(room.text[strlen(room.text) - 1], 'Z');
        assert_memory_equal(room.behind, "xxxxxxxx", 8);
    }
}

static void test_now(void **state)
{
    struct moment last = clock_now();
    time_t real = time(NULL);

    (void)state;
    assert_in_range(last.wall / 1000, real - 2, real + 2);
    for (int i = 0; i < 10000; i++) {
        struct moment now = clock_now();

        assert_true(now.mono >= last.mono);
        last = now;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_moments_both_ways),
        cmocka_unit_test(test_round_trip_of_random_moments),
        cmocka_unit_test(test_the_zone_of_the_process_does_not_matter),
        cmocka_unit_test(test_forms_of_one_moment),
        cmocka_unit_test(test_first_and_last_moment),
        cmocka_unit_test(test_other_forms_are_refused),
        cmocka_unit_test(test_every_truncation_is_refused),
        cmocka_unit_test(test_days_that_exist),
        cmocka_unit_test(test_leap_second_is_the_one_after),
        cmocka_unit_test(test_extreme_moments_fit),
        cmocka_unit_test(test_now),
    };

    return cmocka_run_group_tests_name("clock", tests, NULL, NULL);
}
