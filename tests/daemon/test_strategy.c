/* What is done with a buffer and what follows: phases, learning goals, intervals, anomalies, silence; in simulated time. */
#include "support.h"

#include <stdbool.h>
#include <string.h>

#include "strategy/strategy.h"

static const int64_t start = INT64_C(1795353571000), second = 1000, hour = 3600000, day = 86400000;

/* Without an order of false alarms: the first judgement below the threshold raises. */
static const struct alarm_plan bare = { .line = 1, .windows = 1, .persistence = 1 };

static struct settings defaults(void)
{
    struct settings settings;

    settings_default(&settings);
    settings.buffer_size = 256;
    settings.axes = 3;
    return settings;
}

static struct settings with(const char *key, const char *text)
{
    struct settings settings = defaults();

    assert_int_equal(settings_set_text(&settings, settings_find(key), text, ORIGIN_FILE, NULL), 0);
    return settings;
}

/* A decision with its note: one where nothing is done, none where something is. */
static enum strategy_action decide(const struct settings *settings, struct strategy_state *state,
                                   enum strategy_wish wish, int64_t at)
{
    const char *note = "left as it was";
    enum strategy_action action = strategy_decide(settings, state, wish, RUN_YES, at, &note);

    if (action == ACTION_LEARN || action == ACTION_DETECT) {
        assert_null(note);
    } else {
        assert_non_null(note);
        assert_string_not_equal(note, "left as it was");
    }
    return action;
}

/* ---------------------------------------------------------------------------------------------------------- phases */

static void test_new_machine_waits_to_be_told(void **state)
{
    struct settings settings = defaults();
    struct strategy_state now = { 0 };

    (void)state;
    assert_int_equal(strategy_phase(&settings, &now), PHASE_NEW);
    assert_int_equal(decide(&settings, &now, WISH_AUTOMATIC, start), ACTION_IDLE);
    assert_int_equal(decide(&settings, &now, WISH_AUTOMATIC, start + day), ACTION_IDLE);
    assert_int_equal(strategy_phase(&settings, &now), PHASE_NEW);
    strategy_start_learning(&now, start + day);
    assert_int_equal(strategy_phase(&settings, &now), PHASE_LEARNING);
    assert_int_equal(now.phase_since, start + day);
    assert_int_equal(decide(&settings, &now, WISH_AUTOMATIC, start + day), ACTION_LEARN);
}

static void test_start_auto_begins_with_the_first_buffer(void **state)
{
    struct settings settings = with("start", "auto");
    struct strategy_state now = { 0 };

    (void)state;
    assert_int_equal(decide(&settings, &now, WISH_DETECT, start - 1), ACTION_DETECT);
    assert_int_equal(strategy_phase(&settings, &now), PHASE_NEW); /* asking is not learning */
    assert_int_equal(decide(&settings, &now, WISH_AUTOMATIC, start), ACTION_LEARN);
    assert_int_equal(strategy_phase(&settings, &now), PHASE_LEARNING);
    assert_int_equal(now.phase_since, start);
}

static void test_by_hand_is_always_done(void **state)
{
    static const enum phase phases[] = { PHASE_NEW, PHASE_LEARNING, PHASE_WATCHING };
    struct settings settings = defaults();

    (void)state;
    settings.learn_every = settings.detect_every = (uint64_t)hour;
    for (size_t i = 0; i < COUNT(phases); i++) {
        struct strategy_state now = {
            .phase = phases[i], .last_learn = start, .last_detect = start, .last_seen = start
        };

        assert_int_equal(decide(&settings, &now, WISH_DETECT, start + 1), ACTION_DETECT);
        assert_int_equal(now.phase, phases[i]);
        assert_int_equal(decide(&settings, &now, WISH_LEARN, start + 1), ACTION_LEARN);
        assert_int_equal(now.phase, phases[i] == PHASE_NEW ? PHASE_LEARNING : phases[i]);
    }
}

static void test_paused_covers_everything(void **state)
{
    static const enum strategy_wish wishes[] = { WISH_AUTOMATIC, WISH_LEARN, WISH_DETECT };
    static const enum phase phases[] = { PHASE_NEW, PHASE_LEARNING, PHASE_WATCHING };
    struct settings settings = with("start", "auto");

    (void)state;
    settings.paused = 1;
    for (size_t i = 0; i < COUNT(phases); i++)
        for (size_t j = 0; j < COUNT(wishes); j++) {
            struct strategy_state now = { .phase = phases[i] };

            assert_int_equal(decide(&settings, &now, wishes[j], start), ACTION_IDLE);
            assert_int_equal(strategy_phase(&settings, &now), PHASE_PAUSED);
            assert_int_equal(now.phase, phases[i]); /* there when it goes on */
        }
}

static void test_forget(void **state)
{
    struct settings settings = defaults();
    struct strategy_state now = { .phase = PHASE_WATCHING,
                                  .phase_learned = 7,
                                  .last_learn = start,
                                  .last_detect = start,
                                  .last_seen = start,
                                  .interval = second,
                                  .anomaly = 5 };

    (void)state;
    strategy_forget(&now, start + hour);
    assert_int_equal(strategy_phase(&settings, &now), PHASE_NEW);
    assert_int_equal(now.phase_since, start + hour);
    assert_int_equal(now.phase_learned, 0);
    assert_int_equal(now.anomaly, 0);
    assert_int_equal(now.last_seen, start); /* the machine is heard as before */
    strategy_start_watching(&now, start + day);
    assert_int_equal(strategy_phase(&settings, &now), PHASE_WATCHING);
    assert_int_equal(now.phase_since, start + day);
}

/* Told twice to learn is told once: what counts towards the goal stays. */
static void test_commission_while_learning(void **state)
{
    struct strategy_state now = { 0 };

    (void)state;
    strategy_start_learning(&now, start);
    now.phase_learned = 30;
    strategy_start_learning(&now, start + hour);
    assert_int_equal(now.phase_learned, 30);
    assert_int_equal(now.phase_since, start);
    strategy_start_watching(&now, start + 2 * hour);
    strategy_start_learning(&now, start + 3 * hour); /* learn on */
    assert_int_equal(now.phase, PHASE_LEARNING);
    assert_int_equal(now.phase_learned, 0);
    assert_int_equal(now.phase_since, start + 3 * hour);
}

/* --------------------------------------------------------------------------------------------------------- learning */

static const struct learning unsettled = { .learned = 1000, .settled = 0.99f },
                             settled = { .learned = 1000, .settled = 1 },
                             unready = { .learned = 3, .needed = 5, .settled = 0 };

/* Learns every `step` ms until watching; returns how many it took, at most 100000. */
static unsigned int learn_until_watching(const struct settings *settings, struct strategy_state *now,
                                         const struct learning *learning, int64_t from, int64_t step)
{
    unsigned int count = 0;

    strategy_start_learning(now, from);
    while (now->phase == PHASE_LEARNING && count < 100000) {
        assert_int_equal(decide(settings, now, WISH_AUTOMATIC, from + step * count), ACTION_LEARN);
        strategy_learned(settings, now, learning, from + step * count);
        assert_int_equal(now->last_learn, from + step * count);
        count++;
    }
    return count;
}

static void test_goals(void **state)
{
    static const struct {
        const char *learn;
        const struct learning *learning;
        int64_t step;
        unsigned int count;
    } goals[] = {
        { "1", &unsettled, 1000, 1 },
        { "50", &unsettled, 1000, 50 },
        { "50", &settled, 3600000, 50 },
        { "1h", &unsettled, 60000, 61 }, /* the one after 60 minutes ends it */
        { "1h", &settled, 60000, 61 },
        { "90s", &unsettled, 1000, 91 },
        { "auto", &settled, 1000, 60 },       /* learn_min */
        { "auto", &unsettled, 3600000, 337 }, /* learn_max: 14 days */
        { "auto", &unready, 3600000, 100000 },
        { "1", &unready, 1000, 100000 }, /* watching without being able to judge helps nobody */
        { "1h", &unready, 1000, 100000 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(goals); i++) {
        struct settings settings = with("learn", goals[i].learn);
        struct strategy_state now = { 0 };
        unsigned int count = learn_until_watching(&settings, &now, goals[i].learning, start, goals[i].step);

        if (count != goals[i].count)
            fail_msg("goal %zu took %u", i, count);
        if (count == 100000)
            continue;
        assert_int_equal(now.phase, PHASE_WATCHING);
        assert_int_equal(now.phase_since, start + goals[i].step * (count - 1));
        assert_int_equal(decide(&settings, &now, WISH_AUTOMATIC, start + day), ACTION_DETECT);
    }
}

static void test_auto_goal_follows_its_own_bounds(void **state)
{
    struct settings settings = with("learn_min", "8");
    struct strategy_state now = { 0 };

    (void)state;
    assert_int_equal(learn_until_watching(&settings, &now, &settled, start, second), 8);
    settings = with("learn_max", "1h");
    assert_int_equal(learn_until_watching(&settings, &now, &unsettled, start + day, second), 3601);
    assert_int_equal(now.phase, PHASE_WATCHING);
}

/* Learning later, by hand, does not start the phase anew, and what was learned before does not count for a second one. */
static void test_learning_while_watching(void **state)
{
    struct settings settings = with("learn", "5");
    struct strategy_state now = { 0 };

    (void)state;
    assert_int_equal(learn_until_watching(&settings, &now, &settled, start, second), 5);
    strategy_learned(&settings, &now, &settled, start + hour);
    assert_int_equal(now.phase, PHASE_WATCHING);
    assert_int_equal(now.phase_since, start + 4 * second);
    assert_int_equal(now.last_learn, start + hour);
    assert_int_equal(learn_until_watching(&settings, &now, &settled, start + day, second), 5);
}

/* A clock that was ten years ahead when learning began must not make a goal wait for ten years. */
static void test_goal_after_the_clock_went_back(void **state)
{
    struct settings settings = with("learn", "1h");
    struct strategy_state now = { 0 };
    unsigned int count = 0;

    (void)state;
    strategy_start_learning(&now, start + 3650 * day);
    while (now.phase == PHASE_LEARNING && count < 10000)
        strategy_learned(&settings, &now, &unsettled, start + 60 * second * count++);
    assert_int_equal(count, 61);
}

/* -------------------------------------------------------------------------------------------------------- intervals */

static const enum phase interval_phases[] = { PHASE_LEARNING, PHASE_WATCHING };

static struct strategy_state last_done(enum phase phase, int64_t last)
{
    return (struct strategy_state){ .phase = phase,
                                    .phase_since = start,
                                    .last_learn = phase == PHASE_LEARNING ? last : 0,
                                    .last_detect = phase == PHASE_WATCHING ? last : 0 };
}

static enum strategy_action doing(enum phase phase)
{
    return phase == PHASE_LEARNING ? ACTION_LEARN : ACTION_DETECT;
}

static void test_at_most_one_per_interval(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(interval_phases); i++) {
        struct settings settings = with(i == 0 ? "learn_every" : "detect_every", "10s");
        struct strategy_state now = last_done(interval_phases[i], 0);

        assert_int_equal(decide(&settings, &now, WISH_AUTOMATIC, start), doing(interval_phases[i]));
        now = last_done(interval_phases[i], start);
        assert_int_equal(decide(&settings, &now, WISH_AUTOMATIC, start), ACTION_SKIP);
        assert_int_equal(decide(&settings, &now, WISH_AUTOMATIC, start + 9499),
                         ACTION_SKIP); /* a sender is never exact */
        assert_int_equal(decide(&settings, &now, WISH_AUTOMATIC, start + 9500), doing(interval_phases[i]));
        assert_int_equal(decide(&settings, &now, WISH_AUTOMATIC, start + 365 * day), doing(interval_phases[i]));
    }
}

/* Once a minute, as exactly as senders are; and ten times a minute, of which the nearest one counts. */
static void test_intervals_of_senders_that_jitter(void **state)
{
    static const int64_t jitter[] = { 0, 40, -700, 300, -1, 1, 900, -900 };
    struct settings settings = with("learn_every", "1m");
    struct strategy_state now = last_done(PHASE_LEARNING, start);
    int learned = 0;

    (void)state;
    now.interval = 60000;
    for (int i = 1; i <= 60; i++) {
        int64_t at = start + i * 60000 + jitter[i % 8];

        assert_int_equal(decide(&settings, &now, WISH_AUTOMATIC, at), ACTION_LEARN);
        now.last_learn = at;
    }
    now = last_done(PHASE_LEARNING, start);
    now.interval = 6000;
    for (int i = 1; i <= 600; i++)
        if (decide(&settings, &now, WISH_AUTOMATIC, start + i * 6000 + jitter[i % 8]) == ACTION_LEARN) {
            now.last_learn = start + i * 6000 + jitter[i % 8];
            learned++;
        }
    assert_int_equal(learned, 60);
    now = last_done(PHASE_LEARNING, start);
    now.interval = 60000;
    assert_int_equal(decide(&settings, &now, WISH_AUTOMATIC, start + 56999), ACTION_SKIP);
    assert_int_equal(decide(&settings, &now, WISH_AUTOMATIC, start + 57000), ACTION_LEARN);
}

static void test_intervals_are_their_own_phase_s(void **state)
{
    struct settings settings = with("learn_every", "10s");
    struct strategy_state now = last_done(PHASE_WATCHING, start);

    (void)state;
    assert_int_equal(decide(&settings, &now, WISH_AUTOMATIC, start + 1), ACTION_DETECT);
    settings = with("detect_every", "10s");
    now = last_done(PHASE_LEARNING, start);
    assert_int_equal(decide(&settings, &now, WISH_AUTOMATIC, start + 1), ACTION_LEARN);
    now.last_detect = start;
    assert_int_equal(decide(&settings, &now, WISH_AUTOMATIC, start + 1), ACTION_LEARN);
}

/* A clock that goes back must not stop a machine for as long as it was ahead. */
static void test_intervals_after_the_clock_went_back(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(interval_phases); i++) {
        struct settings settings = with(i == 0 ? "learn_every" : "detect_every", "10s");
        struct strategy_state now = last_done(interval_phases[i], start + 10 * 365 * day);
        unsigned int done = 0;

        for (int64_t at = start; at < start + 100 * second; at += second)
            if (decide(&settings, &now, WISH_AUTOMATIC, at) == doing(interval_phases[i])) {
                now = last_done(interval_phases[i], at);
                done++;
            }
        assert_int_equal(done, 10);
    }
}

/* ------------------------------------------------------------------------------------------------------- anomalies */

struct step {
    int similarity; /* -1: not known */
    float distance;
    enum anomaly_event event;
};

/* Judges one after the other as a caller does: an id on RAISED, none after CLEARED. */
static void judge(const struct settings *settings, struct strategy_state *now, const struct step *steps, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct average average = { .known = steps[i].similarity >= 0,
                                   .similarity = (uint8_t)(steps[i].similarity < 0 ? 0 : steps[i].similarity),
                                   .distance = steps[i].distance };
        enum anomaly_event event = strategy_judged(settings, now, &bare, &average, start + (int64_t)i * second);

        if (event != steps[i].event)
            fail_msg("step %zu (%d): %s, not %s", i, steps[i].similarity, anomaly_event_name(event),
                     anomaly_event_name(steps[i].event));
        if (event == ANOMALY_RAISED)
            now->anomaly = 17;
        if (event == ANOMALY_CLEARED)
            now->anomaly = 0;
        assert_int_equal(now->last_detect, start + (int64_t)i * second);
    }
}

static void test_raise_and_clear_at_the_defaults(void **state)
{
    static const struct step steps[] = {
        { -1, 0, ANOMALY_NONE },      { 100, 0.1f, ANOMALY_NONE },   { 90, 1, ANOMALY_NONE },
        { 89, 1.1f, ANOMALY_RAISED }, { 89, 1.1f, ANOMALY_NONE },    { 90, 1, ANOMALY_NONE },
        { 92, 0.9f, ANOMALY_NONE }, /* between: stays */
        { -1, 0, ANOMALY_NONE },      { 93, 0.8f, ANOMALY_CLEARED }, { 92, 0.9f, ANOMALY_NONE },
        { 90, 1, ANOMALY_NONE },      { 89, 1.1f, ANOMALY_RAISED },  { 100, 0.1f, ANOMALY_CLEARED },
    };
    struct settings settings = defaults();
    struct strategy_state now = { .phase = PHASE_WATCHING };

    (void)state;
    judge(&settings, &now, steps, COUNT(steps));
}

static void test_raise_and_clear_at_other_thresholds(void **state)
{
    static const struct step low[] = {
        { 41, 2, ANOMALY_NONE }, { 40, 2, ANOMALY_NONE }, { 39, 2, ANOMALY_RAISED }, { 40, 2, ANOMALY_CLEARED }
    };
    static const struct step high[] = { { 100, 0.1f, ANOMALY_NONE },
                                        { 99, 0.2f, ANOMALY_RAISED },
                                        { 99, 0.2f, ANOMALY_NONE },
                                        { 100, 0.1f, ANOMALY_CLEARED } };
    static const struct step never[] = { { 1, 9, ANOMALY_NONE }, { 0, 9, ANOMALY_RAISED }, { 1, 9, ANOMALY_CLEARED } };
    struct settings settings = defaults();
    struct strategy_state now = { .phase = PHASE_WATCHING };

    (void)state;
    settings.threshold = settings.clear = 40;
    judge(&settings, &now, low, COUNT(low));
    settings.threshold = settings.clear = 100;
    judge(&settings, &now, high, COUNT(high));
    settings.threshold = settings.clear = 1;
    judge(&settings, &now, never, COUNT(never));
}

static void test_worse_is_said_in_steps(void **state)
{
    static const struct step steps[] = {
        { 89, 1.1f, ANOMALY_RAISED },   { 80, 1.5f, ANOMALY_NONE },    { 79, 1.6f, ANOMALY_WORSENED },
        { 85, 1.3f, ANOMALY_NONE },     { 72, 1.8f, ANOMALY_NONE },    { 79, 1.6f, ANOMALY_NONE }, /* said before */
        { 35, 3.2f, ANOMALY_WORSENED }, { 4, 5.5f, ANOMALY_WORSENED }, { 0, 6.7f, ANOMALY_NONE },
        { 0, 7.9f, ANOMALY_NONE },      { 0, 8.1f, ANOMALY_WORSENED }, { 0, 15, ANOMALY_NONE },
        { 0, 16, ANOMALY_WORSENED },    { 0, 16, ANOMALY_NONE },       { 0, 1e30f, ANOMALY_WORSENED },
        { 92, 0.9f, ANOMALY_NONE },     { 93, 0.8f, ANOMALY_CLEARED },
    };
    struct settings settings = defaults();
    struct strategy_state now = { .phase = PHASE_WATCHING };

    (void)state;
    judge(&settings, &now, steps, COUNT(steps));
}

/* The state's own words: lowest, largest, judged since it was raised. */
static void test_the_worst_is_kept(void **state)
{
    static const struct step steps[] = { { 88, 1.2f, ANOMALY_RAISED },
                                         { 85, 1.3f, ANOMALY_NONE },
                                         { 81, 1.4f, ANOMALY_NONE },
                                         { 87, 1.25f, ANOMALY_NONE } };
    static const struct step again[] = { { 95, 0.5f, ANOMALY_CLEARED }, { 89, 1.1f, ANOMALY_RAISED } };
    struct settings settings = defaults();
    struct strategy_state now = { .phase = PHASE_WATCHING };

    (void)state;
    judge(&settings, &now, steps, COUNT(steps));
    assert_int_equal(now.anomaly_similarity, 81);
    assert_true(now.anomaly_distance == 1.4f);
    assert_int_equal(now.anomaly_buffers, 4);
    judge(&settings, &now, again, COUNT(again)); /* another one: nothing of the first */
    assert_int_equal(now.anomaly_similarity, 89);
    assert_true(now.anomaly_distance == 1.1f);
    assert_int_equal(now.anomaly_buffers, 1);
}

/* However long it lasts and whatever it does, an episode says something a bounded number of times. */
static void test_messages_of_an_episode_are_bounded(void **state)
{
    struct settings settings = defaults();
    struct strategy_state now = { .phase = PHASE_WATCHING };
    uint64_t seed = chance_seed();
    unsigned int raised = 0, worsened = 0;

    (void)state;
    for (int i = 0; i < 100000; i++) {
        struct average average = { .known = true,
                                   .similarity = (uint8_t)chance_below(&seed, 93),
                                   .distance = (float)chance_below(&seed, 1000) + 1 };
        enum anomaly_event event = strategy_judged(&settings, &now, &bare, &average, start + i * second);

        raised += event == ANOMALY_RAISED;
        worsened += event == ANOMALY_WORSENED;
        assert_int_not_equal(event, ANOMALY_CLEARED);
        if (event == ANOMALY_RAISED)
            now.anomaly = 1;
    }
    assert_int_equal(raised, 1);
    assert_in_range(worsened, 1, 20);
}

/* --------------------------------------------------------------------------------------------------------- silence */

static void test_never_heard_is_offline(void **state)
{
    struct settings settings = defaults();
    struct strategy_state now = { 0 };

    (void)state;
    assert_false(strategy_online(&settings, &now, start));
    assert_false(strategy_online(&settings, &now, 0));
}

static void test_silence_as_configured(void **state)
{
    struct settings settings = with("silent_after", "5m");
    struct strategy_state now = { 0 };

    (void)state;
    for (int i = 0; i < 100; i++)
        strategy_seen(&now, start + i * hour, start + i * hour); /* its own interval does not matter then */
    assert_true(strategy_online(&settings, &now, start + 99 * hour));
    assert_true(strategy_online(&settings, &now, start + 99 * hour + 300 * second));
    assert_false(strategy_online(&settings, &now, start + 99 * hour + 300 * second + 1));
    settings = with("silent_after", "1s"); /* shorter than the learned minute */
    assert_false(strategy_online(&settings, &now, start + 99 * hour + 1001));
}

static void test_silence_as_learned(void **state)
{
    struct settings settings = defaults();
    struct strategy_state now = { 0 };
    int64_t last = start + 99 * 60 * second;

    (void)state;
    strategy_seen(&now, start, start);
    assert_true(strategy_online(&settings, &now, start + 60 * second)); /* at least a minute */
    assert_false(strategy_online(&settings, &now, start + 60 * second + 1));
    for (int i = 1; i < 100; i++)
        strategy_seen(&now, start + i * 60 * second, start + i * 60 * second);
    assert_int_equal(now.interval, 60 * second);
    assert_true(strategy_online(&settings, &now, last + 600 * second));
    assert_false(strategy_online(&settings, &now, last + 600 * second + 1));
    for (int i = 1; i < 100; i++)
        strategy_seen(&now, last + i * 100, last + i * 100); /* ten a second from now on */
    assert_in_range(now.interval, 100, 110);
    assert_true(strategy_online(&settings, &now, now.last_seen + 60 * second));
    assert_false(strategy_online(&settings, &now, now.last_seen + 60 * second + 1));
}

static void test_silence_after_the_clock_went_back(void **state)
{
    struct settings settings = defaults();
    struct strategy_state now = { 0 };

    (void)state;
    strategy_seen(&now, start + 3650 * day, start + 3650 * day);
    strategy_seen(&now, start + 3650 * day + second, start + 3650 * day + second);
    assert_false(strategy_online(&settings, &now, start)); /* heard in ten years is not heard now */
    strategy_seen(&now, start + second, start + second);
    assert_true(strategy_online(&settings, &now, start + 2 * second));
    assert_false(strategy_online(&settings, &now, start + hour));
    assert_true(now.interval >= 0 && now.interval <= second);
    strategy_seen(&now, start, start); /* two that overtook each other */
    assert_true(strategy_online(&settings, &now, start + 2 * second));
}

static void test_seen_at_the_same_moment(void **state)
{
    struct strategy_state now = { 0 };

    (void)state;
    for (int i = 0; i < 10; i++)
        strategy_seen(&now, start, start);
    assert_int_equal(now.last_seen, start);
    assert_int_equal(now.interval, 0);
    strategy_seen(&now, start + 8 * second, start + 8 * second);
    assert_int_equal(now.interval, 8 * second);
    strategy_seen(&now, start + 8 * second, start + 8 * second); /* a batch is no cadence */
    assert_int_equal(now.interval, 8 * second);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_new_machine_waits_to_be_told),
        cmocka_unit_test(test_start_auto_begins_with_the_first_buffer),
        cmocka_unit_test(test_by_hand_is_always_done),
        cmocka_unit_test(test_paused_covers_everything),
        cmocka_unit_test(test_forget),
        cmocka_unit_test(test_commission_while_learning),
        cmocka_unit_test(test_goals),
        cmocka_unit_test(test_auto_goal_follows_its_own_bounds),
        cmocka_unit_test(test_learning_while_watching),
        cmocka_unit_test(test_goal_after_the_clock_went_back),
        cmocka_unit_test(test_at_most_one_per_interval),
        cmocka_unit_test(test_intervals_of_senders_that_jitter),
        cmocka_unit_test(test_intervals_are_their_own_phase_s),
        cmocka_unit_test(test_intervals_after_the_clock_went_back),
        cmocka_unit_test(test_raise_and_clear_at_the_defaults),
        cmocka_unit_test(test_raise_and_clear_at_other_thresholds),
        cmocka_unit_test(test_worse_is_said_in_steps),
        cmocka_unit_test(test_the_worst_is_kept),
        cmocka_unit_test(test_messages_of_an_episode_are_bounded),
        cmocka_unit_test(test_never_heard_is_offline),
        cmocka_unit_test(test_silence_as_configured),
        cmocka_unit_test(test_silence_as_learned),
        cmocka_unit_test(test_silence_after_the_clock_went_back),
        cmocka_unit_test(test_seen_at_the_same_moment),
    };

    return cmocka_run_group_tests_name("strategy", tests, NULL, NULL);
}
