#include "strategy.h"

static void start_report(struct strategy_report *report, uint32_t day)
{
    *report = (struct strategy_report){ .day = day, .lowest = 100 };
}

void strategy_start(struct strategy *strategy, struct habit_engine *engine)
{
    *strategy = (struct strategy){ .engine = engine, .learn_until = STRATEGY_DAY, .similarity = 100 };
    (void)habit_window_init(&strategy->window, STRATEGY_JUDGED);
    start_report(&strategy->report, 0);
}

/* The heat is learned only while the machine is fine: a fault that makes it hot must not become a habit. */
static void mind_heat(struct strategy *strategy, uint32_t minute, int temperature)
{
    if (temperature < STRATEGY_COOL)
        strategy->was_hot = false;
    if (temperature <= STRATEGY_HOT || strategy->was_hot || strategy->alarm)
        return;
    strategy->was_hot = true;
    strategy->learn_until = minute + STRATEGY_HOUR;
    (void)habit_window_init(&strategy->window, STRATEGY_JUDGED); /* what came before was another state */
}

enum strategy_task strategy_task(struct strategy *strategy, uint32_t minute, int temperature)
{
    if (minute >= STRATEGY_DAY)
        mind_heat(strategy, minute, temperature);
    if (minute < strategy->learn_until)
        return minute < STRATEGY_DAY ? STRATEGY_LEARN : STRATEGY_ACCEPT;
    return minute % (STRATEGY_HOUR / STRATEGY_JUDGED) == 0 ? STRATEGY_DETECT : STRATEGY_REST;
}

void strategy_learned(struct strategy *strategy, int status)
{
    if (status == HABIT_OK)
        strategy->report.learned++;
    else
        strategy->report.errors++;
}

/* Ten are judged once, then ten others are gathered. */
static bool judge(struct strategy *strategy)
{
    struct strategy_report *report = &strategy->report;
    struct habit_average average;

    if (habit_window_result(strategy->engine, &strategy->window, &average) != HABIT_OK)
        return false;
    (void)habit_window_init(&strategy->window, STRATEGY_JUDGED);
    strategy->similarity = average.similarity;
    strategy->alarm = average.similarity < HABIT_THRESHOLD;
    report->hours++;
    report->anomalies += strategy->alarm;
    if (average.similarity < report->lowest)
        report->lowest = average.similarity;
    return true;
}

bool strategy_detected(struct strategy *strategy, int status, const struct habit_result *result)
{
    if (status != HABIT_OK) {
        strategy->report.errors++;
        return false;
    }
    strategy->report.detected++;
    (void)habit_window_add(&strategy->window, result);
    return judge(strategy);
}

bool strategy_day_ends(struct strategy *strategy, uint32_t minute, struct strategy_report *report)
{
    if (minute % STRATEGY_DAY != STRATEGY_DAY - 1)
        return false;
    *report = strategy->report;
    start_report(&strategy->report, report->day + 1);
    return true;
}
