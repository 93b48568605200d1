/* Whether messages of a stream follow each other: numbers, times of measurement, times of arrival. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "strategy/stream.h"

#define RATE 1600.0f

static struct stream_message numbered(uint64_t seq)
{
    struct stream_message message = { .samples = 7, .numbered = true, .seq = seq };

    snprintf(message.source, sizeof(message.source), "esp");
    snprintf(message.boot, sizeof(message.boot), "a1");
    return message;
}

/* 160 samples: 100 ms at 1600 Hz. */
static struct stream_message timed(int64_t measured, int64_t came)
{
    return (struct stream_message){ .samples = 160, .timed = true, .measured = measured, .came = came };
}

static struct stream_message untimed(int64_t came)
{
    return (struct stream_message){ .samples = 160, .came = came };
}

static enum stream_break between(struct stream_message last, struct stream_message next, uint64_t gap, float rate)
{
    return stream_follows(&last, &next, gap, rate);
}

static void test_numbers(void **state)
{
    struct stream_message other = numbered(8);

    (void)state;
    assert_int_equal(between(numbered(7), numbered(8), 0, RATE), STREAM_FOLLOWS);
    assert_int_equal(between(numbered(7), numbered(9), 0, RATE), STREAM_NUMBER);
    assert_int_equal(between(numbered(7), numbered(7), 0, RATE), STREAM_NUMBER);
    assert_int_equal(between(numbered(7), numbered(6), 0, RATE), STREAM_NUMBER);
    snprintf(other.boot, sizeof(other.boot), "a2");
    assert_int_equal(between(numbered(7), other, 0, RATE), STREAM_OTHER);
    other = numbered(8);
    snprintf(other.source, sizeof(other.source), "pi");
    assert_int_equal(between(numbered(7), other, 0, RATE), STREAM_OTHER);
    assert_int_equal(between(untimed(0), numbered(0), 0, RATE), STREAM_OTHER);
}

/* Numbers know better than a network that held messages back, unless a pause was configured. */
static void test_numbers_and_a_pause(void **state)
{
    struct stream_message late = numbered(8);

    (void)state;
    late.came = 60000;
    assert_int_equal(between(numbered(7), late, 0, RATE), STREAM_FOLLOWS);
    assert_int_equal(between(numbered(7), late, 5000, RATE), STREAM_PAUSE);
    assert_int_equal(between(numbered(7), late, 70000, RATE), STREAM_FOLLOWS);
}

static void test_times_of_measurement(void **state)
{
    (void)state;
    assert_int_equal(between(timed(1000, 0), timed(1100, 90000), 0, RATE), STREAM_FOLLOWS);
    assert_int_equal(between(timed(1000, 0), timed(1150, 0), 0, RATE), STREAM_FOLLOWS);
    assert_int_equal(between(timed(1000, 0), timed(1151, 0), 0, RATE), STREAM_PAUSE);
    assert_int_equal(between(timed(1000, 0), timed(1200, 0), 0, RATE), STREAM_PAUSE);
    assert_int_equal(between(timed(1000, 0), timed(951, 0), 0, RATE), STREAM_FOLLOWS);
    assert_int_equal(between(timed(1000, 0), timed(900, 0), 0, RATE), STREAM_PAUSE);
    assert_int_equal(between(timed(1000, 0), timed(90000, 0), 0, 0), STREAM_FOLLOWS);
    assert_int_equal(between(timed(1000, 0), timed(90000, 0), 1000, 0), STREAM_PAUSE);
}

/* One sample a message at 1600 Hz: times in whole milliseconds jump by 0 or 1, and a lost one by 2. */
static void test_times_are_rounded(void **state)
{
    struct stream_message last = timed(1000, 0), next = timed(1001, 0);

    (void)state;
    last.samples = next.samples = 1;
    assert_int_equal(between(last, next, 0, RATE), STREAM_FOLLOWS);
    next.measured = 1002;
    assert_int_equal(between(last, next, 0, RATE), STREAM_FOLLOWS);
    next.measured = 1003;
    assert_int_equal(between(last, next, 0, RATE), STREAM_PAUSE);
}

static void test_times_of_arrival(void **state)
{
    (void)state;
    assert_int_equal(between(untimed(0), untimed(1100), 0, RATE), STREAM_FOLLOWS);
    assert_int_equal(between(untimed(0), untimed(1101), 0, RATE), STREAM_PAUSE);
    assert_int_equal(between(untimed(0), untimed(301), 200, RATE), STREAM_PAUSE);
    assert_int_equal(between(untimed(0), untimed(3600000), 0, 0), STREAM_FOLLOWS);
    assert_int_equal(between(timed(0, 0), untimed(500), 0, RATE), STREAM_FOLLOWS);
}

static void test_every_reason_has_words(void **state)
{
    (void)state;
    for (int reason = 0; reason < STREAM_BREAKS; reason++)
        assert_non_null(stream_break_text((enum stream_break)reason));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_numbers_and_a_pause),
        cmocka_unit_test(test_times_of_measurement),
        cmocka_unit_test(test_times_are_rounded),
        cmocka_unit_test(test_times_of_arrival),
        cmocka_unit_test(test_every_reason_has_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
