/* Exactly once: the marks against a slow, obvious twin that remembers every number, and their bounds. */
#include "support.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "registry/marks.h"

static void apply(struct marks *marks, const char *source, const char *boot, uint64_t seq, int64_t used)
{
    assert_int_equal(marks_apply(marks, source, boot, seq, used), 0);
}

/* ------------------------------------------------------------------------------------------------------------ twin */

enum { TWIN_BITS = 1 << 25 };

/* Every number of one boot of one source, from `base` on. */
struct twin {
    const char *source, *boot;
    uint64_t base, high;
    bool any;
    uint8_t *seen;
};

static bool twin_applied(const struct twin *twin, uint64_t seq)
{
    if (!twin->any)
        return false;
    if (seq <= twin->high && twin->high - seq >= LIMIT_SEQUENCE_WINDOW)
        return true;
    return twin->seen[(seq - twin->base) / 8] >> (seq - twin->base) % 8 & 1;
}

static void twin_apply(struct twin *twin, uint64_t seq)
{
    twin->seen[(seq - twin->base) / 8] |= (uint8_t)(1u << (seq - twin->base) % 8);
    if (!twin->any || seq > twin->high)
        twin->high = seq;
    twin->any = true;
}

/* The next number of a source as networks deliver them: in order, again, late, lost for a while, after a long gap. */
static uint64_t next_number(const struct twin *twin, uint64_t *seed)
{
    uint64_t high = twin->any ? twin->high : twin->base + 1000, step = 1, back = 0;

    switch (chance_below(seed, 16)) {
    case 0:
        back = chance_below(seed, 256);
        break;
    case 1:
        back = chance_below(seed, 1000);
        break;
    case 2:
        back = 254 + chance_below(seed, 4); /* around the edge of the window */
        break;
    case 3:
        step = chance_below(seed, 256);
        break;
    case 4:
        step = 254 + chance_below(seed, 4);
        break;
    case 5:
        step = chance_below(seed, 64) == 0 ? chance_below(seed, 20000) : 2;
        break;
    case 6:
        back = 64 * chance_below(seed, 5); /* around the words of the bitmap */
        break;
    case 7:
    case 8:
        back = chance_below(seed, 8);
        break;
    default:
        break;
    }
    if (back > 0)
        return high - twin->base > back ? high - back : twin->base;
    if (UINT64_MAX - high < step)
        return UINT64_MAX - chance_below(seed, 300);
    return high - twin->base + step < TWIN_BITS ? high + step : high;
}

static void test_a_million_numbers_like_their_slow_twin(void **state)
{
    struct twin twins[] = {
        { .source = "", .boot = "", .base = 0 },
        { .source = "esp", .boot = "a1", .base = (UINT64_C(1) << 53) - 5000000 },
        { .source = "esp", .boot = "a2", .base = 7 },
        { .source = "a1", .boot = "esp", .base = UINT64_MAX - 3000000 }, /* ends at the largest */
    };
    struct marks marks = { 0 };
    uint64_t seed = chance_seed(), applied = 0;

    (void)state;
    for (size_t i = 0; i < COUNT(twins); i++)
        assert_non_null(twins[i].seen = calloc(1, TWIN_BITS / 8 + 1));
    for (int i = 0; i < 1000000; i++) {
        struct twin *twin = &twins[chance_below(&seed, COUNT(twins))];
        uint64_t seq = next_number(twin, &seed);
        bool is = twin_applied(twin, seq);

        if (marks_applied(&marks, twin->source, twin->boot, seq) != is)
            fail_msg("step %d: %llu of %s/%s, highest %llu: %d", i, (unsigned long long)seq, twin->source, twin->boot,
                     (unsigned long long)twin->high, is);
        applied += !is;
        if (is && chance_below(&seed, 2)) /* a door asks first; but applying twice must do no harm either */
            continue;
        if (is && seq < twin->high && twin->high - seq >= LIMIT_SEQUENCE_WINDOW)
            continue;
        apply(&marks, twin->source, twin->boot, seq, i);
        twin_apply(twin, seq);
        assert_int_equal(marks.count > 4, 0);
    }
    assert_in_range(applied, 300000, 900000); /* both answers were asked for */
    assert_int_equal(twins[3].high, UINT64_MAX);
    for (size_t i = 0; i < COUNT(twins); i++)
        free(twins[i].seen);
    marks_free(&marks);
}

/* T13: 10,000 messages, 30 % twice, 10 % out of order: exactly 10,000 applied. */
static void test_exactly_once(void **state)
{
    enum { MESSAGES = 10000 };
    struct marks marks = { 0 };
    uint64_t seed = chance_seed();
    unsigned int applied = 0;
    static uint64_t sent[2 * MESSAGES];
    size_t count = 0;

    (void)state;
    for (uint64_t seq = 0; seq < MESSAGES; seq++) {
        sent[count++] = seq;
        if (chance_below(&seed, 10) < 3)
            sent[count++] = seq;
    }
    for (size_t i = 0; i + 100 < count; i++)
        if (chance_below(&seed, 10) == 0) {
            size_t other = i + 1 + chance_below(&seed, 99);
            uint64_t moved = sent[i];

            sent[i] = sent[other];
            sent[other] = moved;
        }
    for (size_t i = 0; i < count; i++)
        if (!marks_applied(&marks, "esp", "boot", sent[i])) {
            apply(&marks, "esp", "boot", sent[i], (int64_t)i);
            applied++;
        }
    assert_int_equal(applied, MESSAGES);
    marks_free(&marks);
}

/* ---------------------------------------------------------------------------------------------------------- window */

static void test_edges_of_the_window(void **state)
{
    struct marks marks = { 0 };

    (void)state;
    assert_false(marks_applied(&marks, "s", "b", 0));
    apply(&marks, "s", "b", 1000, 1);
    assert_true(marks_applied(&marks, "s", "b", 1000));
    assert_false(marks_applied(&marks, "s", "b", 999));
    assert_false(marks_applied(&marks, "s", "b", 1000 - 255));
    assert_true(marks_applied(&marks, "s", "b", 1000 - 256)); /* too old to know: counts as applied */
    assert_true(marks_applied(&marks, "s", "b", 0));
    assert_false(marks_applied(&marks, "s", "b", 1001));
    assert_false(marks_applied(&marks, "s", "b", UINT64_MAX));
    apply(&marks, "s", "b", 1000 - 255, 1);
    assert_true(marks_applied(&marks, "s", "b", 1000 - 255));
    assert_false(marks_applied(&marks, "s", "b", 1000 - 254));
    apply(&marks, "s", "b", 1001, 1); /* takes the bit of 1001 - 256 = 745: gone below */
    assert_true(marks_applied(&marks, "s", "b", 745));
    assert_false(marks_applied(&marks, "s", "b", 746));
    apply(&marks, "s", "b", UINT64_MAX, 1);
    assert_true(marks_applied(&marks, "s", "b", UINT64_MAX));
    assert_true(marks_applied(&marks, "s", "b", 1001));
    assert_false(marks_applied(&marks, "s", "b", UINT64_MAX - 255));
    marks_free(&marks);
}

/* A jump leaves nothing of the old bits behind, whatever its length. */
static void test_jumps(void **state)
{
    (void)state;
    for (uint64_t jump = 1; jump < 600; jump++) {
        struct marks marks = { 0 };

        for (uint64_t seq = 0; seq < 300; seq++)
            apply(&marks, "s", "b", seq, 1);
        apply(&marks, "s", "b", 299 + jump, 1);
        for (uint64_t seq = 0; seq <= 299 + jump; seq++) {
            bool is = seq < 300 || seq == 299 + jump || 299 + jump - seq >= 256;

            if (marks_applied(&marks, "s", "b", seq) != is)
                fail_msg("%llu after a jump of %llu", (unsigned long long)seq, (unsigned long long)jump);
        }
        marks_free(&marks);
    }
}

/* After a reboot a source counts from the start; its old boot is still known for what comes late. */
static void test_boots_are_independent(void **state)
{
    struct marks marks = { 0 };

    (void)state;
    for (uint64_t seq = 0; seq < 500; seq++)
        apply(&marks, "esp", "a1", seq, 1);
    assert_false(marks_applied(&marks, "esp", "a2", 0));
    apply(&marks, "esp", "a2", 0, 2);
    assert_true(marks_applied(&marks, "esp", "a2", 0));
    assert_false(marks_applied(&marks, "esp", "a2", 1));
    assert_true(marks_applied(&marks, "esp", "a1", 499));
    assert_false(marks_applied(&marks, "esp", "", 0));
    assert_false(marks_applied(&marks, "", "a1", 0));
    assert_false(marks_applied(&marks, "a1", "esp", 0));
    marks_free(&marks);
}

/* ---------------------------------------------------------------------------------------------------------- bounds */

static const char *name(char *text, char letter, unsigned int number)
{
    snprintf(text, SOURCE_SIZE, "%c%u", letter, number);
    return text;
}

static void test_boots_of_a_source_are_bounded(void **state)
{
    struct marks marks = { 0 };
    char boot[SOURCE_SIZE];

    (void)state;
    apply(&marks, "other", "b", 5, 0); /* used longest ago of all, but of another source */
    for (unsigned int i = 0; i < 100; i++) {
        apply(&marks, "esp", name(boot, 'b', i), 5, 10 + i);
        assert_int_equal(marks.count, 1 + (i < LIMIT_BOOTS ? i + 1 : LIMIT_BOOTS));
        for (unsigned int j = 0; j <= i; j++)
            assert_int_equal(marks_applied(&marks, "esp", name(boot, 'b', j), 5), j + LIMIT_BOOTS > i);
    }
    assert_true(marks_applied(&marks, "other", "b", 5));
    assert_int_equal(marks.count, LIMIT_BOOTS + 1);
    marks_free(&marks);
}

static void test_the_boot_in_use_stays(void **state)
{
    struct marks marks = { 0 };
    char boot[SOURCE_SIZE];

    (void)state;
    apply(&marks, "esp", "long", 0, 0);
    for (unsigned int i = 0; i < 50; i++) {
        apply(&marks, "esp", name(boot, 'b', i), 5, 10 + i);
        apply(&marks, "esp", "long", i + 1, 10 + i); /* the first one goes on */
    }
    assert_true(marks_applied(&marks, "esp", "long", 0));
    assert_true(marks_applied(&marks, "esp", "long", 50));
    marks_free(&marks);
}

/* A whole batch comes in one millisecond: the newest boot must not be the one that makes room. */
static void test_boots_of_the_same_moment(void **state)
{
    struct marks marks = { 0 };
    char boot[SOURCE_SIZE];

    (void)state;
    for (unsigned int i = 0; i < 20; i++) {
        apply(&marks, "esp", name(boot, 'b', i), 5, 1000);
        assert_true(marks_applied(&marks, "esp", name(boot, 'b', i), 5));
    }
    for (unsigned int i = 0; i < 20; i++)
        assert_int_equal(marks_applied(&marks, "esp", name(boot, 'b', i), 5), i >= 16);
    marks_free(&marks);
}

/* What came last was used last, also by a clock that was set back. */
static void test_boots_after_the_clock_was_set_back(void **state)
{
    struct marks marks = { 0 };
    char boot[SOURCE_SIZE];

    (void)state;
    for (unsigned int i = 0; i < LIMIT_BOOTS; i++)
        apply(&marks, "esp", name(boot, 'b', i), 1, 1000000 + i);
    apply(&marks, "esp", "new", 7, 10);
    apply(&marks, "esp", "newer", 7, 20);
    assert_true(marks_applied(&marks, "esp", "new", 7));
    assert_false(marks_applied(&marks, "esp", "new", 8));
    assert_false(marks_applied(&marks, "esp", name(boot, 'b', 1), 1));
    assert_true(marks_applied(&marks, "esp", name(boot, 'b', 2), 1));
    marks_free(&marks);
}

static void test_sources_are_bounded(void **state)
{
    struct marks marks = { 0 };
    char source[SOURCE_SIZE];

    (void)state;
    for (unsigned int i = 0; i < 100; i++) {
        for (unsigned int boot = 0; boot < LIMIT_BOOTS; boot++) {
            char boots[SOURCE_SIZE];

            apply(&marks, name(source, 's', i), name(boots, 'b', boot), 5, 10 * i + boot);
        }
        for (unsigned int j = 0; j <= i; j++)
            assert_int_equal(marks_applied(&marks, name(source, 's', j), "b0", 5), j + LIMIT_SOURCES > i);
        assert_true(marks.count <= LIMIT_SOURCES * LIMIT_BOOTS);
    }
    marks_free(&marks);
}

/* Silent longest is by a source's newest boot, not by its oldest. */
static void test_the_source_that_was_silent_longest_makes_room(void **state)
{
    struct marks marks = { 0 };
    char source[SOURCE_SIZE];

    (void)state;
    for (unsigned int i = 1; i < LIMIT_SOURCES; i++) {
        apply(&marks, name(source, 's', i), "b", 5, 100 + i);
        if (i == 5)
            apply(&marks, "old", "first", 5, 0);
    }
    apply(&marks, "old", "second", 5, 1000);
    apply(&marks, "new", "b", 5, 1001);
    assert_true(marks_applied(&marks, "old", "first", 5));
    assert_true(marks_applied(&marks, "old", "second", 5));
    assert_true(marks_applied(&marks, "new", "b", 5));
    assert_false(marks_applied(&marks, "s1", "b", 5));
    marks_free(&marks);
}

/* Of both, whatever lies between them. */
static void test_joined_marks(void **state)
{
    static const struct {
        uint64_t ours, theirs;
    } rows[] = { { 10, 12 }, { 12, 10 }, { 10, 10 }, { 0, 255 }, { 300, 5 }, { 5, 300 }, { 0, UINT64_MAX } };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct marks ours = { 0 }, theirs = { 0 };

        apply(&ours, "a", "1", rows[i].ours, 1);
        apply(&theirs, "a", "1", rows[i].theirs, 2);
        apply(&theirs, "b", "1", 7, 3);
        assert_int_equal(marks_join(&ours, &theirs), 0);
        assert_true(marks_applied(&ours, "a", "1", rows[i].ours));
        assert_true(marks_applied(&ours, "a", "1", rows[i].theirs));
        assert_true(marks_applied(&ours, "b", "1", 7));
        assert_false(marks_applied(&ours, "b", "1", 6));
        if (rows[i].ours == 10 && rows[i].theirs == 12)
            assert_false(marks_applied(&ours, "a", "1", 11)); /* which neither has */
        if (rows[i].ours == 300)
            assert_false(marks_applied(&ours, "a", "1", 5 + LIMIT_SEQUENCE_WINDOW)); /* whose bit 5 would be */
        marks_free(&ours);
        marks_free(&theirs);
    }
}

static void test_a_copy(void **state)
{
    struct marks marks = { 0 }, copy;
    char longest[SOURCE_SIZE];

    (void)state;
    memset(longest, 'x', sizeof(longest));
    longest[SOURCE_SIZE - 1] = '\0';
    assert_int_equal(marks_copy(&marks, &copy), 0);
    assert_int_equal(copy.count, 0);
    apply(&marks, "esp", longest, 7, 11);
    apply(&marks, longest, "a", 8, 12);
    assert_int_equal(marks_copy(&marks, &copy), 0);
    apply(&marks, "esp", longest, 9, 13);
    assert_int_equal(copy.count, 2);
    assert_true(marks_applied(&copy, "esp", longest, 7));
    assert_false(marks_applied(&copy, "esp", longest, 9));
    marks_free(&copy);
    assert_true(marks_applied(&marks, longest, "a", 8));
    marks_free(&marks);
    assert_int_equal(marks.count, 0);
    assert_null(marks.mark);
    marks_free(&marks);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_million_numbers_like_their_slow_twin),
        cmocka_unit_test(test_exactly_once),
        cmocka_unit_test(test_edges_of_the_window),
        cmocka_unit_test(test_jumps),
        cmocka_unit_test(test_boots_are_independent),
        cmocka_unit_test(test_boots_of_a_source_are_bounded),
        cmocka_unit_test(test_the_boot_in_use_stays),
        cmocka_unit_test(test_boots_of_the_same_moment),
        cmocka_unit_test(test_boots_after_the_clock_was_set_back),
        cmocka_unit_test(test_sources_are_bounded),
        cmocka_unit_test(test_the_source_that_was_silent_longest_makes_room),
        cmocka_unit_test(test_a_copy),
        cmocka_unit_test(test_joined_marks),
    };

    return cmocka_run_group_tests_name("marks", tests, NULL, NULL);
}
