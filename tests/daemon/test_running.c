/* Whether a machine runs, rules, troubles, progress in words, and clocks: pure functions in simulated time. */
#include "support.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "strategy/alarms.h"
#include "strategy/progress.h"
#include "strategy/rules.h"
#include "strategy/strategy.h"
#include "strategy/trouble.h"

static const int64_t start = INT64_C(1795353571000), second = 1000, minute = 60000, hour = 3600000, day = 86400000;

static void set(struct settings *settings, const char *key, const char *text)
{
    struct refusal refusal = { 0 };

    if (settings_set_text(settings, settings_find(key), text, ORIGIN_FILE, &refusal) != 0)
        fail_msg("%s", refusal.detail);
}

static struct settings with(const char *key, const char *text)
{
    struct settings settings;

    settings_default(&settings);
    settings.buffer_size = 256;
    settings.axes = 3;
    set(&settings, key, text);
    return settings;
}

static struct run_result see_level(const struct settings *settings, struct strategy_state *state, int64_t at,
                                   double level)
{
    struct sight sight = { .at = at, .level = (float)level };

    return run_see(settings, state, &sight);
}

/* ------------------------------------------------------------------------------------------------------------ run_when */

static void test_always_runs(void **unused)
{
    struct settings settings = with("run_when", "always");
    struct strategy_state state = { .phase = PHASE_WATCHING };
    uint64_t running = 0;
    unsigned int starts = 0;

    (void)unused;
    for (int i = 0; i < 60; i++) {
        struct run_result result = see_level(&settings, &state, start + i * minute, 0);

        assert_int_equal(result.verdict, RUN_YES);
        running += result.running_ms;
        starts += result.started;
        strategy_seen(&state, start + i * minute, start + i * minute);
    }
    assert_int_equal(running, 59 * minute);
    assert_int_equal(starts, 1);
    assert_int_equal(see_level(&settings, &state, start + day, 0).running_ms, 0); /* nobody knows what it did */
}

static void test_level_with_a_border(void **unused)
{
    struct settings settings = with("run_when", "level > 0.2");
    struct strategy_state state = { .phase = PHASE_WATCHING };

    (void)unused;
    assert_int_equal(see_level(&settings, &state, start, 0.1).verdict, RUN_NO);
    assert_int_equal(see_level(&settings, &state, start + minute, 0.3).verdict, RUN_YES);
    assert_int_equal(state.memory.run.since, start + minute);
}

/* Learning may begin while it stands, or while it runs: soon both are told apart, and what was learned standing is not kept. */
static void test_level_auto_finds_both(void **unused)
{
    struct settings settings = with("run_when", "level auto");

    (void)unused;
    for (int runs_first = 0; runs_first < 2; runs_first++) {
        struct strategy_state state = { .phase = PHASE_LEARNING };
        bool mistaken = false;

        for (int i = 0; i < 40; i++) {
            bool runs = i < 20 ? runs_first != 0 : runs_first == 0;
            struct run_result result = see_level(&settings, &state, start + i * minute, runs ? 1.1 : 0.01);

            if (result.verdict == RUN_YES && !result.mistaken)
                run_learned(&settings, &state);
            mistaken = mistaken || result.mistaken;
            if (i >= 25)
                assert_int_equal(result.verdict, runs ? RUN_YES : RUN_NO);
        }
        assert_int_equal(mistaken, runs_first == 0);
        state.phase = PHASE_WATCHING;
        assert_int_equal(see_level(&settings, &state, start + hour, 1).verdict, RUN_YES);
        assert_int_equal(see_level(&settings, &state, start + hour, 0.02).verdict, RUN_NO);
        assert_int_equal(see_level(&settings, &state, start + hour, 0).verdict, RUN_NO);
        assert_int_equal(see_level(&settings, &state, start + hour, 50).verdict,
                         RUN_YES); /* a fault is no other state */
    }
}

static void test_one_shock_is_no_running(void **unused)
{
    struct settings settings = with("run_when", "level auto");
    struct strategy_state state = { .phase = PHASE_LEARNING };

    (void)unused;
    for (int i = 0; i < 60; i++) {
        struct run_result result = see_level(&settings, &state, start + i * minute, i % 20 == 10 ? 30 : 1);

        run_learned(&settings, &state);
        assert_false(result.mistaken);
        assert_int_equal(result.verdict, RUN_YES);
    }
}

/* A machine that was never seen standing while it learned stands later: that is no fault. */
static void test_standing_for_the_first_time_while_watched(void **unused)
{
    struct settings settings = with("run_when", "level auto");
    struct strategy_state state = { .phase = PHASE_LEARNING };

    (void)unused;
    for (int i = 0; i < 60; i++)
        see_level(&settings, &state, start + i * minute, 1);
    state.phase = PHASE_WATCHING;
    for (int i = 0; i < 60; i++)
        assert_int_equal(see_level(&settings, &state, start + hour + i * minute, 0.05).verdict, RUN_NO);
    for (int i = 0; i < 60; i++) /* much louder is strange, but it runs; and healthy again it does as well */
        assert_int_equal(see_level(&settings, &state, start + 2 * hour + i * minute, 20).verdict, RUN_YES);
    assert_int_equal(see_level(&settings, &state, start + 3 * hour, 1).verdict, RUN_YES);
}

static void test_context_tells(void **unused)
{
    struct settings settings = with("run_when", "context.speed > 5");
    struct strategy_state state = { .phase = PHASE_WATCHING };
    struct named_number speed = { .name = "speed", .value = 20, .at = start };
    struct sight sight = { .at = start, .context = &speed, .context_count = 1 };

    (void)unused;
    set(&settings, "context_ttl", "15m");
    assert_int_equal(run_see(&settings, &state, &sight).verdict, RUN_YES);
    speed.value = 5;
    assert_int_equal(run_see(&settings, &state, &sight).verdict, RUN_NO);
    sight.at = start + 15 * minute;
    assert_int_equal(run_see(&settings, &state, &sight).verdict, RUN_NO);
    sight.at++;
    assert_int_equal(run_see(&settings, &state, &sight).verdict, RUN_NOT_KNOWN);
    snprintf(speed.name, sizeof(speed.name), "load");
    speed.at = sight.at;
    assert_int_equal(run_see(&settings, &state, &sight).verdict, RUN_NOT_KNOWN);
}

static void test_settle_after_a_start(void **unused)
{
    struct settings settings = with("run_when", "level > 0.2");
    struct strategy_state state = { .phase = PHASE_WATCHING };
    const char *note;

    (void)unused;
    set(&settings, "settle", "90s");
    assert_int_equal(see_level(&settings, &state, start, 1).verdict, RUN_YES); /* who knows how long already */
    see_level(&settings, &state, start + minute, 0);
    assert_true(see_level(&settings, &state, start + 2 * minute, 1).started);
    assert_int_equal(see_level(&settings, &state, start + 2 * minute + 89 * second, 1).verdict, RUN_SETTLING);
    assert_int_equal(strategy_decide(&settings, &state, WISH_AUTOMATIC, RUN_SETTLING, start, &note), ACTION_IDLE);
    assert_non_null(strstr(note, "settle"));
    assert_int_equal(strategy_decide(&settings, &state, WISH_DETECT, RUN_NO, start, &note), ACTION_DETECT);
    assert_int_equal(see_level(&settings, &state, start + 2 * minute + 90 * second, 1).verdict, RUN_YES);
}

/* --------------------------------------------------------------------------------------------------------------- rules */

struct heat {
    struct settings settings;
    struct strategy_state state;
    struct named_number number;
    struct sight sight;
};

static struct heat heat_of(const char *rule)
{
    struct heat heat = { .settings = with("rule", rule), .state = { .phase = PHASE_WATCHING } };

    snprintf(heat.number.name, sizeof(heat.number.name), "temperature");
    heat.sight.at = start;
    return heat;
}

static void feel(struct heat *heat, int64_t at, double temperature)
{
    heat->number.value = temperature;
    heat->number.at = at;
    heat->sight = (struct sight){ .at = at, .context = &heat->number, .context_count = 1 };
    rules_see(&heat->settings, &heat->state, &heat->sight);
}

/* The seed's: above 60 degrees, and well. */
static void test_rule_learns_when_hot_and_well(void **unused)
{
    struct heat heat = heat_of("temperature > 60 for 10m : learn 50");
    const char *note;

    (void)unused;
    feel(&heat, start, 60);
    assert_false(rules_hold(&heat.settings, &heat.state));
    for (int i = 1; i <= 10; i++) {
        feel(&heat, start + i * minute, 61);
        assert_true(rules_hold(&heat.settings, &heat.state));
        assert_int_equal(rules_wanting(&heat.settings, &heat.state), -1);
    }
    feel(&heat, start + 11 * minute, 61);
    for (int i = 0; i < 50; i++) {
        assert_int_equal(rules_wanting(&heat.settings, &heat.state), 0);
        assert_int_equal(
            strategy_decide(&heat.settings, &heat.state, WISH_AUTOMATIC, RUN_YES, start + 11 * minute, &note),
            ACTION_LEARN_BY_RULE);
        assert_int_equal(rules_learned(&heat.settings, &heat.state, 0, 0.01f), i == 49);
    }
    feel(&heat, start + 20 * minute, 70); /* it stays hot: once is enough */
    assert_int_equal(rules_wanting(&heat.settings, &heat.state), -1);
    assert_false(rules_hold(&heat.settings, &heat.state));
    assert_true(fabsf(rules_budget(&heat.settings, &heat.state, 0) - 0.5f) < 1e-4f);
    feel(&heat, start + 30 * minute, 50);
    feel(&heat, start + 31 * minute, 65);
    feel(&heat, start + 41 * minute, 65); /* the next time it learns again */
    assert_int_equal(rules_wanting(&heat.settings, &heat.state), 0);
}

static void test_rule_asks_first_whether_it_is_well(void **unused)
{
    struct heat open = heat_of("temperature > 60 for 10m : learn 50"), below = open, learning = open;

    (void)unused;
    open.state.anomaly = 7;
    below.state.memory.below = 1;
    learning.state.phase = PHASE_LEARNING;
    for (int i = 0; i <= 20; i++) {
        feel(&open, start + i * minute, 70);
        feel(&below, start + i * minute, 70);
        feel(&learning, start + i * minute, 70);
        open.state.anomaly = 0; /* too late: it was ill when it became hot */
    }
    assert_int_equal(rules_wanting(&open.settings, &open.state), -1);
    assert_false(rules_hold(&open.settings, &open.state));
    assert_int_equal(rules_wanting(&below.settings, &below.state), -1);
    assert_int_equal(rules_wanting(&learning.settings, &learning.state), -1);
    assert_string_equal(rule_stage_name(&open.settings, &open.state, 0), "unwell");
}

static void test_rule_with_old_context(void **unused)
{
    struct heat heat = heat_of("temperature > 60 for 10m : learn 50");
    struct sight nothing = { .at = start + 12 * minute };

    (void)unused;
    feel(&heat, start, 70);
    rules_see(&heat.settings, &heat.state, &nothing); /* as after a restart: what was heard last still counts */
    assert_int_equal(rules_wanting(&heat.settings, &heat.state), 0);
    nothing.at = start + 16 * minute;
    rules_see(&heat.settings, &heat.state, &nothing);
    assert_int_equal(rules_wanting(&heat.settings, &heat.state), -1);
    assert_string_equal(rule_stage_name(&heat.settings, &heat.state, 0), "rests");
}

static void test_another_rule_begins_anew(void **unused)
{
    struct heat heat = heat_of("temperature > 60 for 10m : learn 50");

    (void)unused;
    feel(&heat, start, 70);
    feel(&heat, start + hour, 70);
    assert_int_equal(rules_wanting(&heat.settings, &heat.state), 0);
    set(&heat.settings, "rule", "temperature > 65 for 10m : learn 50");
    assert_int_equal(rules_wanting(&heat.settings, &heat.state), -1);
    feel(&heat, start + hour, 70);
    assert_string_equal(rule_stage_name(&heat.settings, &heat.state, 0), "waits");
}

static void test_spent_rules_stay_so(void **unused)
{
    struct heat heat = heat_of("temperature > 60 for 0 : learn 50");

    (void)unused;
    feel(&heat, start, 70);
    rules_spend(&heat.state, 0);
    feel(&heat, start + hour, 50);
    feel(&heat, start + 2 * hour, 70);
    assert_int_equal(rules_wanting(&heat.settings, &heat.state), -1);
}

static void test_raising_waits_for_a_rule(void **unused)
{
    struct heat heat = heat_of("temperature > 60 for 10m : learn 50");
    struct alarm_plan bare = { .line = 1, .hold = 1, .windows = 1, .persistence = 1 };
    struct average strange = { true, 50, 3 };

    (void)unused;
    feel(&heat, start, 70);
    assert_int_equal(strategy_judged(&heat.settings, &heat.state, &bare, &strange, start), ANOMALY_NONE);
    feel(&heat, start + minute, 50);
    assert_int_equal(strategy_judged(&heat.settings, &heat.state, &bare, &strange, start + minute), ANOMALY_RAISED);
}

/* -------------------------------------------------------------------------------------------------------------- alarms */

static struct alarm_plan plan_of(const char *order, uint32_t learned, double interval)
{
    struct settings settings = with("false_alarms", order);
    struct alarm_figures figures = {
        .order = settings.false_alarms, .learned = learned, .window = 10, .window_rate = 0.005f, .interval = interval
    };

    return alarm_plan_make(&figures);
}

static void test_plans(void **unused)
{
    struct alarm_plan off = plan_of("off", 60, minute), minutely = plan_of("1 per 90d", 60, minute);

    (void)unused;
    assert_false(off.ordered);
    assert_int_equal(off.persistence, 1);
    assert_true(minutely.ordered && minutely.kept && minutely.extrapolated);
    assert_int_equal(minutely.buffers, minutely.windows * 10);
    assert_int_equal(minutely.persistence, (minutely.windows - 1) * 10 + 1);
    assert_true(fabs(minutely.rise_ms - minutely.buffers * (double)minute) < 1);
    assert_true(minutely.line >= 1 && minutely.line < 1.11f && minutely.hold < minutely.line);
    assert_true(plan_of("1 per 90d", 60, second).windows > minutely.windows); /* more chances to be wrong */
    assert_true(plan_of("1 per 90d", 5000, minute).windows < plan_of("1 per 90d", 20, minute).windows);
    assert_true(plan_of("1 per 10d", 60, minute).windows <= minutely.windows);
    assert_true(plan_of("1 per 3650d", 60, minute).windows > minutely.windows);
    assert_int_equal(plan_of("1 per 90d", 60, day).windows, 1);
    assert_false(plan_of("1 per 90d", 60, 2 * day).extrapolated); /* 45 in that time, 60 were learned */
    assert_true(plan_of("1 per 90d", 60, 0).rise_ms == 0);        /* not known yet */
}

static void test_persistence(void **unused)
{
    struct settings settings = with("false_alarms", "1 per 90d");
    struct alarm_plan plan = plan_of("1 per 90d", 60, minute);
    struct strategy_state state = { .phase = PHASE_WATCHING };
    struct average strange = { true, 80, 1.5f }, weak = { true, 90, 0.99f }, well = { true, 98, 0.4f };

    (void)unused;
    for (uint32_t i = 1; i < plan.persistence; i++)
        assert_int_equal(strategy_judged(&settings, &state, &plan, &strange, start + i * minute), ANOMALY_NONE);
    strategy_judged(&settings, &state, &plan, &well, start + day);
    assert_int_equal(state.memory.below, 0); /* all over again */
    for (uint32_t i = 1; i < plan.persistence; i++)
        assert_int_equal(strategy_judged(&settings, &state, &plan, i % 2 ? &strange : &weak, start + i * minute),
                         ANOMALY_NONE);
    assert_int_equal(strategy_judged(&settings, &state, &plan, &weak, start + day),
                     ANOMALY_NONE); /* not below itself */
    assert_int_equal(strategy_judged(&settings, &state, &plan, &strange, start + day), ANOMALY_RAISED);
}

static void test_cadence(void **unused)
{
    struct settings settings = with("detect_every", "6m");
    struct strategy_state state = { 0 };

    (void)unused;
    assert_true(alarm_interval(&settings, &state) == 6 * (double)minute); /* as far as anybody knows */
    for (int i = 0; i < 100; i++) {
        alarm_interval_note(&state, start + i * minute);
        state.last_detect = start + i * minute;
    }
    assert_true(fabs(alarm_interval(&settings, &state) - (double)minute) < 1);
    alarm_interval_note(&state, start + 3650 * day); /* one jump is no cadence */
    assert_true(alarm_interval(&settings, &state) < 1.2 * (double)minute);
}

/* 1 = buffers by themselves, and any size of batches whose buffers have one time: as often judged, the same cadence. */
static void test_cadence_of_batches(void **unused)
{
    static const int sizes[] = { 1, 2, 20, 64 };
    struct settings settings = with("detect_every", "6m");

    (void)unused;
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct strategy_state state = { 0 };

        for (int buffer = 0; buffer < 1000; buffer++) {
            int64_t at = start + buffer / sizes[i] * sizes[i] * minute;

            alarm_interval_note(&state, at);
            state.last_detect = at;
        }
        assert_true(fabs(alarm_interval(&settings, &state) - (double)minute) < 1);
        alarm_interval_note(&state, start + 3650 * day);
        assert_true(alarm_interval(&settings, &state) <= 4 * (double)minute);
    }
}

/* ------------------------------------------------------------------------------------------------------------ troubles */

static uint32_t bit(enum trouble trouble)
{
    return 1u << trouble;
}

static void test_troubles(void **unused)
{
    struct settings settings = with("stopped_after", "1h");
    struct strategy_state state = { .phase = PHASE_WATCHING };

    (void)unused;
    assert_int_equal(troubles_now(&settings, &state, start, start + day), 0); /* never heard */
    for (int i = 0; i < 10; i++)
        strategy_seen(&state, start + i * minute, start + i * minute);
    assert_int_equal(troubles_now(&settings, &state, start, start + 10 * minute), 0);
    assert_int_equal(troubles_now(&settings, &state, start, start + hour), bit(TROUBLE_SILENT));
    assert_int_equal(troubles_now(&settings, &state, start + hour, start + hour + minute),
                     0); /* habitd was not there */
    state.memory.run = (struct run_memory){ .status = RUN_STANDS, .since = start - hour };
    assert_int_equal(troubles_now(&settings, &state, start, start + 5 * minute), bit(TROUBLE_STOPPED));
    settings.stopped_after = 0; /* it may stand */
    assert_int_equal(troubles_now(&settings, &state, start, start + 5 * minute), 0);
    settings.paused = 1;
    assert_int_equal(troubles_now(&settings, &state, start, start + day), 0);
}

/* A gateway that starts in 1970: the machine was last heard by a clock that is not any more. */
static void test_silence_since_another_clock(void **unused)
{
    const int64_t began = 20 * minute;
    struct settings settings = with("silent_after", "5m");
    struct strategy_state state = { .phase = PHASE_WATCHING };

    (void)unused;
    strategy_seen(&state, start, start);
    assert_int_equal(troubles_now(&settings, &state, began, began + 5 * minute), 0);
    assert_int_equal(troubles_now(&settings, &state, began, began + 5 * minute + 1), bit(TROUBLE_SILENT));
    state.memory.told = bit(TROUBLE_SILENT); /* it was silent before, and nothing came since */
    assert_int_equal(troubles_now(&settings, &state, began, began + 1), bit(TROUBLE_SILENT));
    strategy_seen(&state, began + minute, began + minute);
    assert_int_equal(troubles_now(&settings, &state, began, began + minute - 1000), 0); /* read a little later */
}

static void test_sensor_troubles(void **unused)
{
    struct settings settings = with("sampling_hz", "256"); /* a buffer takes a second */
    struct strategy_state state = { .last_seen = start };

    (void)unused;
    for (int i = 0; i < 2; i++)
        trouble_sensor(&state, TROUBLE_DEAD, true);
    assert_int_equal(state.memory.present, 0);
    trouble_sensor(&state, TROUBLE_DEAD, true);
    trouble_sensor(&state, TROUBLE_CLIPPED, false);
    assert_int_equal(state.memory.present, bit(TROUBLE_DEAD));
    for (int i = 0; i < 3; i++)
        trouble_sensor(&state, TROUBLE_DEAD, false);
    assert_int_equal(state.memory.present, 0);
    for (int i = 0; i < 20; i++)
        trouble_rate(&settings, &state, 900); /* clocks differ */
    assert_int_equal(state.memory.present, 0);
    for (int i = 0; i < 10; i++)
        trouble_rate(&settings, &state, 800);
    assert_int_equal(state.memory.present, bit(TROUBLE_RATE));
}

/* ------------------------------------------------------------------------------------------------------------ progress */

static void test_progress_in_words(void **unused)
{
    struct settings settings = with("learn", "24h");
    struct strategy_state state = { .phase = PHASE_LEARNING, .phase_since = start, .phase_learned = 2 };
    struct learning learning = { .lack = LACK_REST };
    char text[PROGRESS_TEXT_SIZE];

    (void)unused;
    strategy_progress(&settings, &state, &learning, start + 61 * second, text);
    assert_string_equal(text, "1 min of 24 h, still changing");
    set(&settings, "learn", "500");
    learning.lack = LACK_BUFFERS;
    strategy_progress(&settings, &state, &learning, start, text);
    assert_string_equal(text, "2 of 500 buffers, too few to judge yet");
    set(&settings, "learn", "auto");
    learning.lack = LACK_MORE;
    strategy_progress(&settings, &state, &learning, start, text);
    assert_string_equal(text, "2 of at least 60 buffers, getting better");
    state.phase_learned = 70;
    learning.lack = LACK_STATE;
    strategy_progress(&settings, &state, &learning, start + 3 * hour, text);
    assert_string_equal(text, "70 buffers, 3 h of at most 14 days, a state of the machine was seen only a few times");
    state.phase = PHASE_WATCHING;
    strategy_progress(&settings, &state, &learning, start, text);
    assert_string_equal(text, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_always_runs),
        cmocka_unit_test(test_level_with_a_border),
        cmocka_unit_test(test_level_auto_finds_both),
        cmocka_unit_test(test_one_shock_is_no_running),
        cmocka_unit_test(test_standing_for_the_first_time_while_watched),
        cmocka_unit_test(test_context_tells),
        cmocka_unit_test(test_settle_after_a_start),
        cmocka_unit_test(test_rule_learns_when_hot_and_well),
        cmocka_unit_test(test_rule_asks_first_whether_it_is_well),
        cmocka_unit_test(test_rule_with_old_context),
        cmocka_unit_test(test_another_rule_begins_anew),
        cmocka_unit_test(test_spent_rules_stay_so),
        cmocka_unit_test(test_raising_waits_for_a_rule),
        cmocka_unit_test(test_plans),
        cmocka_unit_test(test_persistence),
        cmocka_unit_test(test_cadence),
        cmocka_unit_test(test_cadence_of_batches),
        cmocka_unit_test(test_troubles),
        cmocka_unit_test(test_silence_since_another_clock),
        cmocka_unit_test(test_sensor_troubles),
        cmocka_unit_test(test_progress_in_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
