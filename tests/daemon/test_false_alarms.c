/* What `false_alarms = 1 per 90d` gives, by simulated time: forty healthy machines, a third of which have neighbouring buffers
 * that are alike, send a buffer a minute for thirty days. And how soon weak faults are raised: after the little that is learned until
 * settled, and after a day of learning. */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fault.h"
#include "kinds.h"
#include "machine.h"
#include "statistics.h"
#include "strategy/alarms.h"
#include "strategy/progress.h"
#include "strategy/strategy.h"

enum { MACHINES = 40, MINUTE = 60000, DAYS = 30, WATCHED = DAYS * 1440, MOST_EPISODES = 20 };

static const enum kind kinds[] = { KIND_WHITE, KIND_RESONANCE, KIND_TONES, KIND_CYCLE, KIND_LEVELS };
/* A machine as the registry has it: engine, window, strategy's state; and its time. */
struct watched {
    struct machine machine;
    struct signal signal;
    struct chance chance;
    struct settings settings;
    struct strategy_state state;
    struct habit_window window;
    struct alarm_plan plan;
    int64_t at;
    double lag;
};

static struct learning progress_of(const struct habit_progress *progress)
{
    return (struct learning){ .learned = progress->learned, .needed = progress->needed, .settled = progress->settled };
}

static void plan(struct watched *watched)
{
    struct alarm_figures figures = { .order = watched->settings.false_alarms,
                                     .learned = watched->machine.progress.learned,
                                     .window = watched->settings.window,
                                     .window_rate = HABIT_WINDOW_RATE,
                                     .interval = MINUTE };

    watched->plan = alarm_plan_make(&figures);
}

static void learn_until_watching(struct watched *watched)
{
    struct learning learning;

    strategy_start_learning(&watched->state, watched->at);
    while (watched->state.phase == PHASE_LEARNING) {
        watched->at += MINUTE;
        machine_learn_from(&watched->machine, &watched->signal, 1);
        learning = progress_of(&watched->machine.progress);
        strategy_learned(&watched->settings, &watched->state, &learning, watched->at);
    }
    habit_window_init(&watched->window, watched->settings.window);
    plan(watched);
}

static void begin(struct watched *watched, uint64_t seed, unsigned int m)
{
    unsigned int axes;

    memset(watched, 0, sizeof(*watched));
    watched->chance = chance_of(seed, 5, m);
    watched->lag = m % 3 == 2 ? 0.4 : 0;
    axes = 1 + (unsigned int)(chance_bits(&watched->chance) % 3);
    kind_draw_sized(kinds[m % COUNT(kinds)], &watched->signal, 64, axes, &watched->chance);
    watched->signal.lag = watched->lag;
    watched->signal.gain_wander = chance_between(&watched->chance, 0.2, 0.5);
    for (unsigned int a = 0; a < axes; a++)
        if (watched->signal.axis[a].level_sd <= 0)
            watched->signal.axis[a].level_sd =
                chance_between(&watched->chance, 0, 0.5) * signal_rms(&watched->signal, a);
    machine_init(&watched->machine, &watched->signal, 0);
    settings_default(&watched->settings);
    watched->at = INT64_C(1795353600000);
}

/* One buffer, a minute later. */
static enum anomaly_event watch(struct watched *watched, struct signal *signal)
{
    struct habit_result result = machine_detect_from(&watched->machine, signal);
    struct average average = { 0 };
    struct habit_average judged;
    enum anomaly_event event;

    watched->at += MINUTE;
    habit_window_add(&watched->window, &result);
    average.known = habit_window_result(&watched->machine.engine, &watched->window, &judged) == HABIT_OK;
    if (average.known) {
        average.similarity = judged.similarity;
        average.distance = judged.distance;
    }
    event = strategy_judged(&watched->settings, &watched->state, &watched->plan, &average, watched->at);
    if (event == ANOMALY_RAISED)
        watched->state.anomaly = 1;
    else if (event == ANOMALY_CLEARED)
        watched->state.anomaly = 0;
    return event;
}

static unsigned int episodes_when_healthy(struct watched *watched)
{
    unsigned int episodes = 0;

    for (unsigned int i = 0; i < WATCHED; i++)
        episodes += watch(watched, &watched->signal) == ANOMALY_RAISED;
    return episodes;
}

/* Buffers until the fault is raised; 0 = not within what the plan says. */
static unsigned int raised_after(struct watched *watched, const struct fault *fault)
{
    struct signal faulty = fault_apply(fault, &watched->signal);

    for (unsigned int i = 1; i <= watched->plan.buffers; i++)
        if (watch(watched, &faulty) == ANOMALY_RAISED)
            return i;
    return 0;
}

/* A fault that `target` of the single buffers show, where this machine can have one. */
static bool weak_fault(struct watched *watched, unsigned int m, double target, struct fault *fault, double *share)
{
    static const enum fault_kind faults[] = { FAULT_TONE, FAULT_GAIN, FAULT_LEVEL, FAULT_SHOCKS };

    if (!fault_draw(fault, faults[m % COUNT(faults)], &watched->signal, &watched->chance))
        return false;
    *share = fault_grade(fault, &watched->machine, &watched->signal, target);
    return *share > 0.7 * target && *share < 1.3 * target;
}

/* The window begins with what the machine did before: it is full of healthy buffers. */
static void recover(struct watched *watched)
{
    watched->state.anomaly = 0;
    watched->state.memory.below = 0;
    for (unsigned int i = 0; i < watched->settings.window; i++)
        watch(watched, &watched->signal);
    watched->state.anomaly = 0;
    watched->state.memory.below = 0;
}

/* How many of the machines' faults are raised within what the plan says; prints a line for each. */
struct count {
    unsigned int episodes, faults, raised;
};

static void try_fault(struct watched *watched, unsigned int m, double target, struct count *count)
{
    struct fault fault;
    double share = 0;
    unsigned int after;

    if (!weak_fault(watched, m, target, &fault, &share)) {
        printf("-\n");
        return;
    }
    recover(watched);
    after = raised_after(watched, &fault);
    count->faults++;
    count->raised += after > 0;
    if (after > 0)
        printf("%s, shown by %.0f %% of single buffers, raised after %u\n", fault_name(fault.kind), 100 * share, after);
    else
        printf("%s, shown by %.0f %% of single buffers, not raised\n", fault_name(fault.kind), 100 * share);
}

static void print_machine(const struct watched *watched, unsigned int m)
{
    char words[PROMISE_TEXT_SIZE];

    strategy_promise(&watched->plan, watched->machine.progress.learned, words);
    if (m == 0)
        printf("%s\nmachine  lag learned buffers false  fault\n", words);
    printf("%7u  %.1f %7u %7u ", m, watched->lag, watched->machine.progress.learned, watched->plan.buffers);
}

static void test_forty_machines(void **state)
{
    struct count count = { 0 };
    uint64_t seed = chance_seed();

    (void)state;
    for (unsigned int m = 0; m < MACHINES; m++) {
        struct watched watched;
        unsigned int episodes;

        begin(&watched, seed, m);
        learn_until_watching(&watched);
        assert_true(watched.plan.ordered && watched.plan.kept && watched.plan.extrapolated);
        episodes = episodes_when_healthy(&watched);
        count.episodes += episodes;
        print_machine(&watched, m);
        printf("%5u  ", episodes);
        try_fault(&watched, m, 0.8, &count);
        machine_deinit(&watched.machine);
    }
    printf("%u false alarms of %u machines in %u days, at most %u; ordered: %.1f\n", count.episodes, MACHINES, DAYS,
           MOST_EPISODES, MACHINES * DAYS / 90.0);
    printf("%u of %u faults raised within what the plan says\n", count.raised, count.faults);
    assert_true(count.episodes <= MOST_EPISODES);
    assert_true(count.faults >= MACHINES / 2);
    assert_true(count.raised * 10 >= count.faults * 9);
}

static void test_after_a_day_of_learning(void **state)
{
    struct count count = { 0 };
    uint64_t seed = chance_seed();

    (void)state;
    for (unsigned int m = 0; m < MACHINES; m++) {
        struct watched watched;

        begin(&watched, seed, m);
        assert_int_equal(settings_set_text(&watched.settings, settings_find("learn"), "24h", ORIGIN_FILE, NULL), 0);
        learn_until_watching(&watched);
        print_machine(&watched, m);
        printf("    -  ");
        try_fault(&watched, m, 0.5, &count);
        machine_deinit(&watched.machine);
    }
    printf("%u of %u faults raised within what the plan says\n", count.raised, count.faults);
    assert_true(count.faults >= MACHINES / 2);
    assert_true(count.raised * 10 >= count.faults * 9);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_forty_machines),
                                        cmocka_unit_test(test_after_a_day_of_learning) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
