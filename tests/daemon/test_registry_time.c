/* What the machines make of time: reports, clocks that are set, rules, troubles, and news for those who read on. */
#include "registry_bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "report/daily.h"

/* ------------------------------------------------------------------------------------------------------------ reports */

/* The report of one machine; its explanation is freed with the next one. */
static const struct daily_report *report_of(struct bench *bench, const char *id, const struct civil_day *day)
{
    static struct daily_report report;
    const struct report_query query = { .machine = id, .day = *day, .limit = 1 };

    registry_reports_clear(&report, 1);
    memset(&report, 0, sizeof(report));
    return registry_reports(bench->registry, &query, bench->now.wall, &report, &bench->refusal) == 1 ? &report : NULL;
}

static void test_reports_count_everything_once(void **state)
{
    struct bench *bench = *state;
    struct civil_day day;
    struct wire_meta meta = numbered(1);

    setenv("TZ", "UTC", 1);
    put(bench, "fan", geometry);
    one(bench, "fan", INTENT_BUFFER, 1, NULL);
    one(bench, "fan", INTENT_DETECT, 1, NULL);
    learn(bench, "fan", 40);
    assert_int_equal(registry_flush(bench->registry, bench->now), 0);
    for (int i = 0; i < 7; i++)
        one(bench, "fan", INTENT_DETECT, 1, NULL);
    one(bench, "fan", INTENT_LEARN, 1, &meta);
    one(bench, "fan", INTENT_LEARN, 1, &meta);
    civil_day_of_time(bench->now.wall, &day);
    for (int i = 0; i < 3; i++) {
        const struct daily_report *report = report_of(bench, "fan", &day);

        assert_non_null(report);
        assert_string_equal(report->machine, "fan");
        assert_int_equal(report->total.learned, 41);
        assert_int_equal(report->total.detected, 7);
        assert_int_equal(report->total.duplicates, 1);
        assert_int_equal(report->total.idle, 1);
        assert_int_equal(report->total.not_ready, 1);
        assert_int_equal(report->made, 0);
        restart(bench); /* flushed or not, restarted or not: the same */
    }
    memset(&bench->refusal, 0, sizeof(bench->refusal));
    assert_null(report_of(bench, "none", &day));
    assert_int_equal(bench->refusal.code, REFUSAL_NO_MACHINE);
}

/* Assets in order; machines of an asset beyond the room are counted, not lost in silence. */
static void test_groups_have_room_for_so_many(void **state)
{
    static const char *const assets[] = { "pump", "fan", "pump", "belt" };
    struct bench *bench = *state;
    struct group_report groups[3];
    struct civil_day day;
    size_t left_out = 77;

    setenv("TZ", "UTC", 1);
    for (size_t i = 0; i < COUNT(assets); i++) {
        char id[8], json[96];

        snprintf(id, sizeof(id), "m%zu", i);
        snprintf(json, sizeof(json), "{\"buffer_size\":32,\"axes\":2,\"asset\":\"%s\"}", assets[i]);
        put(bench, id, json);
        learn(bench, id, (unsigned int)i + 1);
    }
    civil_day_of_time(bench->now.wall, &day);
    assert_int_equal(registry_report_groups(bench->registry, &day, true, bench->now.wall, groups, 3, &left_out), 3);
    assert_int_equal(left_out, 0);
    assert_string_equal(groups[0].asset, "belt");
    assert_string_equal(groups[1].asset, "fan");
    assert_string_equal(groups[2].asset, "pump");
    assert_int_equal(groups[2].machines, 2);
    assert_int_equal(groups[2].total.learned, 1 + 3);
    assert_int_equal(registry_report_groups(bench->registry, &day, true, bench->now.wall, groups, 2, &left_out), 2);
    assert_int_equal(left_out, 1); /* belt came last */
    assert_int_equal(registry_report_groups(bench->registry, &day, false, bench->now.wall, groups, 1, &left_out), 1);
    assert_int_equal(groups[0].machines, 4);
    assert_int_equal(groups[0].total.learned, 10);
    assert_int_equal(left_out, 0);
}

/* ------------------------------------------------------------------------------------------------------ strategy's time */

static const int64_t minute_ms = 60000, day_ms = 86400000;

static void expect_watched_after_a_day(struct bench *bench)
{
    bench->now.wall += day_ms;
    bench->now.mono += day_ms;
    one(bench, "fan", INTENT_BUFFER, 1, NULL);
    assert_int_equal(view(bench, "fan").state.phase, PHASE_WATCHING);
}

/* A gateway without a battery hears the time while a machine learns for a day: the day is not over by that. Nor by a start with
 * another clock. */
static void test_a_clock_that_is_set(void **state)
{
    struct bench *bench = *state;
    int64_t ahead = INT64_C(56) * 365 * day_ms;

    bench->now.wall = 1000000;
    put(bench, "fan", "{\"buffer_size\":32,\"axes\":2,\"start\":\"auto\",\"learn\":\"24h\"}");
    for (int i = 0; i < 40; i++)
        one(bench, "fan", INTENT_BUFFER, 1, NULL);
    bench->now.wall += ahead;
    one(bench, "fan", INTENT_BUFFER, 1, NULL);
    assert_int_equal(view(bench, "fan").state.phase, PHASE_LEARNING);
    assert_true(llabs(view(bench, "fan").state.last_seen - bench->now.wall) < minute_ms); /* shown as people see it */
    restart(bench);
    bench->now.wall += ahead;
    one(bench, "fan", INTENT_BUFFER, 1, NULL);
    assert_int_equal(view(bench, "fan").state.phase, PHASE_LEARNING);
    bench->now.wall -= 2 * ahead; /* and back */
    one(bench, "fan", INTENT_BUFFER, 1, NULL);
    assert_int_equal(view(bench, "fan").state.phase, PHASE_LEARNING);
    expect_watched_after_a_day(bench);
}

static void heat(struct bench *bench, const char *id, double temperature)
{
    struct wire_meta meta = { .context_count = 1, .context[0] = { .name = "temperature", .value = temperature } };

    assert_int_equal(registry_context(bench->registry, id, &meta, bench->now, &bench->refusal), 0);
}

/* A rule that waits goes on waiting after a restart, which forgets the number itself, and learns once, not twice. */
/* ------------------------------------------------------------------------------------------------------- maintenance */

enum { HOUR = 3600000 };

static void mute_for_an_hour(struct bench *bench, const char *id)
{
    const struct mute mute = { .until = bench->now.wall + HOUR, .who = "Ana", .why = "belt", .then = MUTE_RELEARN };

    assert_int_equal(registry_mute(bench->registry, id, &mute, bench->now, &bench->refusal), 0);
}

static int64_t mute_left(struct bench *bench, const char *id)
{
    int64_t until = view(bench, id).mute.until;

    return until == 0 ? 0 : until - bench->now.wall;
}

/* An hour is an hour: of a machine that was stored by a clock of 1970, or one that was ahead, before and after its first buffer. */
static void test_maintenance_of_a_machine_of_another_clock(void **state)
{
    struct bench *bench = *state;
    const int64_t good = bench->now.wall, clocks[] = { 100000, good + day_ms, good };

    for (size_t i = 0; i < COUNT(clocks); i++) {
        bench->now = (struct moment){ .wall = clocks[i], .mono = 1000 };
        restart(bench);
        put(bench, "fan", geometry);
        learn(bench, "fan", 5);
        restart(bench);
        bench->now = (struct moment){ .wall = good, .mono = 1000 };
        mute_for_an_hour(bench, "fan");
        assert_int_equal(mute_left(bench, "fan"), HOUR);
        one(bench, "fan", INTENT_BUFFER, 1, NULL); /* a second later */
        assert_int_equal(registry_end_mutes(bench->registry, bench->now), 0);
        assert_int_equal(mute_left(bench, "fan"), HOUR - 1000);
        assert_int_equal(view(bench, "fan").learning.learned, 5);
        bench->now.wall += HOUR;
        bench->now.mono += HOUR;
        assert_int_equal(registry_end_mutes(bench->registry, bench->now), 0);
        assert_int_equal(mute_left(bench, "fan"), 0);
        assert_int_equal(view(bench, "fan").learning.learned, 0);
        assert_int_equal(registry_delete(bench->registry, "fan", "", &bench->refusal), 0);
    }
}

/* Made longer before its first buffer by this clock. */
static void test_maintenance_that_is_prolonged_by_another_clock(void **state)
{
    struct bench *bench = *state;
    const int64_t good = bench->now.wall, clocks[] = { good, 100000 };

    put(bench, "fan", geometry);
    learn(bench, "fan", 5);
    for (size_t i = 0; i < COUNT(clocks); i++) {
        mute_for_an_hour(bench, "fan");
        restart(bench);
        bench->now = (struct moment){ .wall = clocks[1 - i], .mono = 1000 };
        mute_for_an_hour(bench, "fan");
        assert_int_equal(one(bench, "fan", INTENT_BUFFER, 1, NULL).status, VERDICT_IDLE);
        assert_int_equal(registry_end_mutes(bench->registry, bench->now), 0);
        assert_int_equal(mute_left(bench, "fan"), HOUR - 1000);
        assert_int_equal(view(bench, "fan").learning.learned, 5);
    }
}

/* It ends before the first buffer by this clock: what it learns then takes its time. */
static void test_learning_after_maintenance_by_another_clock(void **state)
{
    struct mute mute = { .who = "Ana", .why = "belt", .then = MUTE_ENRICH };
    struct bench *bench = *state;

    put(bench, "fan", "{\"buffer_size\":32,\"axes\":2,\"learn\":\"24h\"}");
    learn(bench, "fan", 40);
    bench->now.wall += day_ms;
    bench->now.mono += day_ms;
    learn(bench, "fan", 1);
    mute.until = bench->now.wall + HOUR;
    assert_int_equal(registry_mute(bench->registry, "fan", &mute, bench->now, &bench->refusal), 0);
    restart(bench);
    bench->now = (struct moment){ .wall = 100000, .mono = 1000 };
    assert_int_equal(registry_unmute(bench->registry, "fan", bench->now, &bench->refusal), 0);
    one(bench, "fan", INTENT_BUFFER, 1, NULL);
    assert_int_equal(view(bench, "fan").state.phase, PHASE_LEARNING);
    expect_watched_after_a_day(bench);
}

/* Begun by another clock, and by this one not over at once, nor in years. */
static void test_maintenance_that_another_clock_began(void **state)
{
    struct bench *bench = *state;
    const int64_t good = bench->now.wall, clocks[] = { 100000, good + day_ms };

    for (size_t i = 0; i < COUNT(clocks); i++) {
        bench->now = (struct moment){ .wall = clocks[i], .mono = 1000 };
        restart(bench);
        put(bench, "fan", geometry);
        learn(bench, "fan", 5);
        mute_for_an_hour(bench, "fan");
        restart(bench);
        bench->now = (struct moment){ .wall = good, .mono = 1000 };
        assert_int_equal(registry_end_mutes(bench->registry, bench->now), 0);
        one(bench, "fan", INTENT_BUFFER, 1, NULL);
        assert_in_range(mute_left(bench, "fan"), HOUR - 1000, HOUR);
        assert_int_equal(view(bench, "fan").learning.learned, 5);
        assert_int_equal(registry_delete(bench->registry, "fan", "", &bench->refusal), 0);
    }
}

static void fail_a_commit(struct bench *bench)
{
    database_run(bench->path,
                 "CREATE TRIGGER forbid BEFORE UPDATE ON machine BEGIN SELECT RAISE(ABORT, 'not now'); END");
    assert_int_equal(registry_set_sensitivity(bench->registry, "fan", 2, "", &bench->refusal), REFUSAL_STORE);
    database_run(bench->path, "DROP TRIGGER forbid");
}

/* It was set by three days while habitd ran; a restart, or a commit that failed, does not end what was begun then. */
static void test_maintenance_after_the_clock_was_set(void **state)
{
    struct bench *bench = *state;

    put(bench, "fan", geometry);
    learn(bench, "fan", 20);
    bench->now.wall += 3 * day_ms;
    learn(bench, "fan", 1);
    mute_for_an_hour(bench, "fan");
    assert_int_equal(mute_left(bench, "fan"), HOUR);
    fail_a_commit(bench);
    assert_int_equal(mute_left(bench, "fan"), HOUR);
    restart(bench);
    bench->now.wall += 1000;
    bench->now.mono += 1000;
    assert_int_equal(registry_end_mutes(bench->registry, bench->now), 0);
    assert_int_equal(mute_left(bench, "fan"), HOUR - 1000);
    assert_int_equal(view(bench, "fan").learning.learned, 21);
}

/* The clock was set while somebody worked on it, and then a commit failed. */
static void test_maintenance_before_the_clock_was_set(void **state)
{
    struct bench *bench = *state;

    put(bench, "fan", geometry);
    learn(bench, "fan", 20);
    mute_for_an_hour(bench, "fan");
    bench->now.wall += 3 * day_ms;
    assert_int_equal(mute_left(bench, "fan"), HOUR);
    fail_a_commit(bench);
    assert_int_equal(mute_left(bench, "fan"), HOUR);
    assert_int_equal(registry_end_mutes(bench->registry, bench->now), 0);
    assert_int_equal(mute_left(bench, "fan"), HOUR);
}

/* A day of snapshots that the clock said was, and was not yet. */
static void test_daily_snapshots_after_a_clock_that_was_ahead(void **state)
{
    struct bench *bench = *state;
    int64_t before;

    put(bench, "fan", geometry);
    learn(bench, "fan", 20);
    bench->now.wall += 30 * day_ms;
    assert_int_equal(registry_daily_snapshots(bench->registry, bench->now), 0);
    bench->now.wall -= 30 * day_ms;
    before = database_number(bench->path, "SELECT count(*) FROM snapshot");
    for (int i = 0; i < 5; i++) {
        bench->now.wall += day_ms;
        bench->now.mono += day_ms;
        learn(bench, "fan", 1);
        assert_int_equal(registry_daily_snapshots(bench->registry, bench->now), 0);
    }
    assert_int_equal(database_number(bench->path, "SELECT count(*) FROM snapshot") - before, 5);
}

static void test_rules_survive_restarts(void **state)
{
    struct bench *bench = *state;

    put(bench, "fan",
        "{\"buffer_size\":32,\"axes\":2,\"drift_budget\":100,\"rule\":\"temperature > 60 for 10m : learn 5\"}");
    learn(bench, "fan", 100);
    for (int i = 0; i < 2 * K; i++)
        one(bench, "fan", INTENT_BUFFER, 1, NULL);
    heat(bench, "fan", 65);
    one(bench, "fan", INTENT_BUFFER, 1, NULL);
    assert_string_equal(view(bench, "fan").rule_stage[0], "waits");
    restart(bench);
    bench->now.wall += 10 * minute_ms;
    bench->now.mono += 10 * minute_ms;
    for (int i = 0; i < 12; i++) {
        struct verdict verdict = one(bench, "fan", INTENT_BUFFER, 1, NULL);

        assert_int_equal(verdict.status, i < 5 ? VERDICT_LEARNED : VERDICT_OK);
        assert_int_equal(verdict.average.known && i < 5 + K - 1 && i >= 5, 0); /* the window began empty */
        restart(bench);
    }
    assert_string_equal(view(bench, "fan").rule_stage[0], "done");
    assert_int_equal(view(bench, "fan").learning.learned, 105);
}

/* What has no drift budget left is judged instead, and nothing of it is learned. */
static void test_rules_keep_their_budget(void **state)
{
    struct bench *bench = *state;
    struct verdict verdict = { 0 };

    put(bench, "fan",
        "{\"buffer_size\":32,\"axes\":2,\"learn\":100,\"drift_budget\":0.05,\"rule\":\"temperature > 60 : learn "
        "1000\"}");
    learn(bench, "fan", 100);
    for (int i = 0; i < 2 * K; i++)
        one(bench, "fan", INTENT_BUFFER, 1, NULL);
    for (int i = 0; i < 200; i++) {
        heat(bench, "fan", 65);
        verdict = one(bench, "fan", INTENT_BUFFER, 3, NULL);
    }
    assert_int_equal(verdict.status, VERDICT_OK);
    assert_string_equal(view(bench, "fan").rule_stage[0], "spent");
    assert_true(view(bench, "fan").state.memory.rule[0].drift <= 0.05f);
    assert_true(view(bench, "fan").learning.learned < 300);
}

/* Silence is told once when it begins and once when it ends, also across a restart; a downtime of ours is no silence. */
static void test_troubles_are_told_once(void **state)
{
    struct bench *bench = *state;

    put(bench, "fan", "{\"buffer_size\":32,\"axes\":2,\"silent_after\":\"5m\"}");
    for (int i = 0; i < 3; i++)
        one(bench, "fan", INTENT_BUFFER, 1, NULL);
    for (int i = 0; i < 8; i++) {
        assert_int_equal(registry_watch(bench->registry, bench->now), 0);
        assert_int_equal(database_number(bench->path, "SELECT count(*) FROM outbox WHERE topic = 'fan/event'"),
                         i < 5 ? 0 : 1);
        bench->now.wall += minute_ms;
        bench->now.mono += minute_ms;
    }
    restart(bench);
    assert_int_equal(registry_watch(bench->registry, bench->now), 0);
    assert_int_equal(database_number(bench->path, "SELECT count(*) FROM outbox WHERE topic = 'fan/event'"), 1);
    bench->now.wall += day_ms;
    bench->now.mono += day_ms;
    one(bench, "fan", INTENT_BUFFER, 1, NULL);
    assert_int_equal(registry_watch(bench->registry, bench->now), 0);
    assert_int_equal(database_number(bench->path, "SELECT count(*) FROM outbox WHERE topic = 'fan/event'"), 2);
    assert_int_equal(view(bench, "fan").troubles, 0);
}

/* All or none of a message: the machine keeps those that it has, with their latest values. */
static void test_named_numbers_are_bounded(void **state)
{
    struct bench *bench = *state;
    struct wire_meta full = { .context_count = LIMIT_CONTEXT }, other = { .context_count = 2 };

    put(bench, "fan", geometry);
    for (uint32_t i = 0; i < LIMIT_CONTEXT; i++) {
        snprintf(full.context[i].name, sizeof(full.context[i].name), "n%u", i);
        full.context[i].value = i;
    }
    assert_int_equal(registry_context(bench->registry, "fan", &full, bench->now, &bench->refusal), 0);
    other.context[0] = full.context[3];
    other.context[0].value = 33;
    snprintf(other.context[1].name, sizeof(other.context[1].name), "one more");
    assert_int_equal(registry_context(bench->registry, "fan", &other, bench->now, &bench->refusal), REFUSAL_LIMIT);
    assert_int_equal(bench->refusal.limit, LIMIT_CONTEXT);
    assert_string_equal(bench->refusal.field, "one more");
    assert_int_equal(view(bench, "fan").context_count, LIMIT_CONTEXT);
    assert_true(view(bench, "fan").context[3].value == 3);
    other.context_count = 1;
    assert_int_equal(registry_context(bench->registry, "fan", &other, bench->now, &bench->refusal), 0);
    assert_true(view(bench, "fan").context[3].value == 33);
}

/* --------------------------------------------------------------------------------------------------------------- news */

struct told {
    size_t count;
    char ids[40][MACHINE_ID_SIZE];
    unsigned int what[40];
};

static void tell(void *user, const struct machine_view *view, unsigned int what)
{
    struct told *told = user;

    assert_true(told->count < 40);
    snprintf(told->ids[told->count], sizeof(told->ids[0]), "%s", view->id);
    told->what[told->count++] = what;
}

/* One whole round, in portions. */
static struct told round_of(struct bench *bench, struct registry_news *news, size_t portion)
{
    struct told told = { 0 };

    assert_int_equal(registry_news_begin(bench->registry, news, bench->now), 0);
    while (news->under_way)
        assert_in_range(registry_news_next(bench->registry, news, bench->now, portion, tell, &told), 0, portion);
    return told;
}

static void test_every_reader_has_all_news(void **state)
{
    struct bench *bench = *state;
    struct registry_news first = { 0 }, second = { 0 };
    struct refusal refusal;
    struct told told;

    for (int i = 0; i < 5; i++) {
        char id[8];

        snprintf(id, sizeof(id), "fan-%d", i);
        put(bench, id, "{\"buffer_size\":32,\"axes\":2}");
    }
    told = round_of(bench, &first, 2);
    assert_int_equal(told.count, 5);
    assert_string_equal(told.ids[4], "fan-4");
    assert_int_equal(told.what[0], NEWS_ALL);
    assert_int_equal(round_of(bench, &first, 2).count, 0);

    assert_int_equal(registry_set_sensitivity(bench->registry, "fan-3", 2, "", &refusal), 0);
    told = round_of(bench, &first, 10);
    assert_int_equal(told.count, 1);
    assert_string_equal(told.ids[0], "fan-3");
    assert_int_equal(told.what[0], NEWS_STATE | NEWS_SETTINGS);
    assert_int_equal(round_of(bench, &second, 1).count, 5); /* its first round */

    assert_int_equal(registry_commission(bench->registry, "fan-1", bench->now, &refusal), 0);
    assert_int_equal(round_of(bench, &second, 1).count, 1); /* what one has looked at */
    told = round_of(bench, &first, 1);                      /* is news to the other one too, once */
    assert_int_equal(told.count, 1);
    assert_string_equal(told.ids[0], "fan-1");
    assert_int_equal(told.what[0], NEWS_STATE);
    assert_int_equal(round_of(bench, &first, 1).count, 0);
    assert_int_equal(round_of(bench, &second, 1).count, 0);
}

static void test_what_changes_while_a_round_is_read(void **state)
{
    struct bench *bench = *state;
    struct registry_news slow = { 0 }, quick = { 0 };
    struct refusal refusal;
    struct told told = { 0 };

    put(bench, "a", "{\"buffer_size\":32,\"axes\":2}");
    put(bench, "b", "{\"buffer_size\":32,\"axes\":2}");
    round_of(bench, &slow, 9);
    round_of(bench, &quick, 9);
    registry_commission(bench->registry, "a", bench->now, &refusal);
    assert_int_equal(registry_news_begin(bench->registry, &slow, bench->now), 0);
    assert_int_equal(registry_news_next(bench->registry, &slow, bench->now, 1, tell, &told), 1);
    registry_commission(bench->registry, "a", bench->now, &refusal); /* behind the reader */
    registry_commission(bench->registry, "b", bench->now, &refusal); /* and before it */
    assert_int_equal(round_of(bench, &quick, 9).count, 2);
    assert_int_equal(round_of(bench, &slow, 9).count, 0); /* the rest of its round: b changed after it began */
    assert_int_equal(round_of(bench, &slow, 9).count, 2);
    assert_int_equal(round_of(bench, &slow, 9).count, 0);
}

static void test_silence_is_news_once(void **state)
{
    struct bench *bench = *state;
    struct registry_news news = { 0 };
    struct refusal refusal;
    struct told told;

    put(bench, "a", "{\"buffer_size\":32,\"axes\":2,\"silent_after\":\"10s\"}");
    assert_int_equal(registry_delete(bench->registry, "a", "", &refusal), 0);
    assert_int_equal(round_of(bench, &news, 9).count, 0); /* deleted: none of it */
    put(bench, "a", "{\"buffer_size\":32,\"axes\":2,\"silent_after\":\"10s\"}");
    learn(bench, "a", 1);
    told = round_of(bench, &news, 9);
    assert_int_equal(told.count, 1);
    assert_true(told.what[0] & NEWS_ONLINE);
    bench->now.wall += 11000;
    bench->now.mono += 11000;
    told = round_of(bench, &news, 9);
    assert_int_equal(told.count, 1);
    assert_int_equal(told.what[0], NEWS_STATE | NEWS_ONLINE);
    assert_int_equal(round_of(bench, &news, 9).count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_reports_count_everything_once),
        TEST(test_groups_have_room_for_so_many),
        TEST(test_named_numbers_are_bounded),
        TEST(test_a_clock_that_is_set),
        TEST(test_maintenance_of_a_machine_of_another_clock),
        TEST(test_maintenance_that_is_prolonged_by_another_clock),
        TEST(test_learning_after_maintenance_by_another_clock),
        TEST(test_maintenance_that_another_clock_began),
        TEST(test_maintenance_after_the_clock_was_set),
        TEST(test_maintenance_before_the_clock_was_set),
        TEST(test_daily_snapshots_after_a_clock_that_was_ahead),
        TEST(test_rules_survive_restarts),
        TEST(test_rules_keep_their_budget),
        TEST(test_troubles_are_told_once),
        TEST(test_every_reader_has_all_news),
        TEST(test_what_changes_while_a_round_is_read),
        TEST(test_silence_is_news_once),
    };

    return cmocka_run_group_tests_name("registry_time", tests, NULL, NULL);
}
