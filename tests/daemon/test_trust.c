/* Which time is in force while the system's clock shows this and that. */
#include "support.h"

#include "base/trust.h"

enum { MINUTE = 60000, HOUR = 60 * MINUTE };

static const int64_t day = 24 * (int64_t)HOUR, now = INT64_C(1795353571000); /* 2026-11-22 */

static void check(struct clock_trust *trust, int64_t wall, int64_t mono, bool synchronised, int64_t expected,
                  bool doubtful)
{
    struct moment moment = clock_trust_apply(trust, wall, mono, synchronised);

    if (moment.wall != expected || moment.doubtful != doubtful || moment.mono != mono)
        fail_msg("wall %lld at %lld: %lld%s, not %lld", (long long)wall, (long long)mono, (long long)moment.wall,
                 moment.doubtful ? " (doubtful)" : "", (long long)expected);
}

static void test_small_steps_are_corrections(void **state)
{
    static const int64_t steps[] = { 1000, -1000, HOUR, -HOUR, 3 * HOUR, -3 * HOUR };

    (void)state;
    for (size_t i = 0; i < COUNT(steps); i++) {
        struct clock_trust trust = { .begun = false };

        check(&trust, now, 1000, false, now, false);
        check(&trust, now + 10 + steps[i], 1010, false, now + 10 + steps[i], false);
    }
}

/* A large step is believed when a time server confirms it, or it has lasted for an hour. */
static void test_large_steps(void **state)
{
    static const int64_t steps[] = { 3 * HOUR + 1, 24 * HOUR, -24 * HOUR };

    (void)state;
    for (size_t i = 0; i < COUNT(steps); i++) {
        struct clock_trust trust = { .begun = false };

        check(&trust, now, 0, false, now, false);
        check(&trust, now + steps[i] + 1, 1, false, now + 1, true);
        check(&trust, now + steps[i] + HOUR, HOUR, false, now + HOUR, true);
        check(&trust, now + HOUR + 1, HOUR + 1, false, now + HOUR + 1, false); /* it was a mistake, and is mended */
        check(&trust, now + steps[i] + HOUR + 2, HOUR + 2, false, now + HOUR + 2, true);
        check(&trust, now + steps[i] + 2 * HOUR, 2 * HOUR, false, now + 2 * HOUR, true); /* it counts from anew */
        check(&trust, now + steps[i] + 2 * HOUR + 2, 2 * HOUR + 2, false, now + steps[i] + 2 * HOUR + 2, false);
        check(&trust, now + 3 * HOUR, 3 * HOUR, true, now + 3 * HOUR, false);
    }
}

/* One step that becomes another begins to count anew. */
static void test_a_clock_that_wanders(void **state)
{
    struct clock_trust trust = { .begun = false };

    (void)state;
    check(&trust, now, 0, false, now, false);
    for (int64_t i = 1; i < 100; i++)
        check(&trust, now + i * day, i * 30 * MINUTE, false, now + i * 30 * MINUTE, true);
}

static void test_a_start_in_1970(void **state)
{
    struct clock_trust trust = { .begun = false }, knows = { .begun = false };

    (void)state;
    check(&trust, 5000, 5000, false, 5000, true);
    check(&trust, 5000 + 2 * (int64_t)HOUR, 5000 + 2 * HOUR, false, 5000 + 2 * HOUR, true); /* however long it lasts */
    check(&trust, 6000, 6000, true, 6000, true);                                            /* whoever says so */
    check(&trust, now, 7000, false, now, false); /* any time that can be is better */
    clock_trust_begin(&knows, now, 5000, 5000);  /* the store has seen a later time: it goes on from there */
    check(&knows, 6000, 6000, false, now + 1000, true);
    check(&knows, 10 * day, 10 * day, false, now + 10 * day - 5000, true);
    check(&knows, now + 20 * day, 10 * day, true, now + 20 * day, false);
}

static void test_what_the_store_has_seen(void **state)
{
    struct clock_trust trust;

    (void)state;
    trust = (struct clock_trust){ .begun = false };
    clock_trust_begin(&trust, now - 30 * day, now, 0); /* a downtime */
    check(&trust, now, 0, false, now, false);
    trust = (struct clock_trust){ .begun = false };
    clock_trust_begin(&trust, now + HOUR, now, 0);
    check(&trust, now, 0, false, now, false);
    trust = (struct clock_trust){ .begun = false };
    clock_trust_begin(&trust, now + day, now, 0); /* it was ahead when we stopped, or is behind now */
    check(&trust, now, 0, false, now + day, true);
    check(&trust, now + HOUR, HOUR, false, now + HOUR, false);
    trust = (struct clock_trust){ .begun = false };
    clock_trust_begin(&trust, now, now + 500 * day, 0);
    check(&trust, now + 500 * day, 0, false, now, true);
    check(&trust, now + 500 * day + 1, 1, true, now + 500 * day + 1, false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_small_steps_are_corrections), cmocka_unit_test(test_large_steps),
        cmocka_unit_test(test_a_clock_that_wanders),        cmocka_unit_test(test_a_start_in_1970),
        cmocka_unit_test(test_what_the_store_has_seen),
    };

    return cmocka_run_group_tests_name("trust", tests, NULL, NULL);
}
