#include "strategy/progress.h"

#include <stdio.h>
#include <string.h>

enum { SPAN_SIZE = 24 };

/* "40 s", "1 min", "24 h", "14 days": whole units, as people say them. */
static const char *span(uint64_t milliseconds, char text[SPAN_SIZE])
{
    static const struct {
        uint64_t milliseconds, from;
        const char *name;
    } units[] = { { 86400000, 172800000, "days" },
                  { 3600000, 7200000, "h" },
                  { 60000, 60000, "min" },
                  { 1000, 1000, "s" },
                  { 1, 0, "ms" } };
    size_t i = 0;

    while (milliseconds < units[i].from)
        i++;
    snprintf(text, SPAN_SIZE, "%llu %s", (unsigned long long)(milliseconds / units[i].milliseconds), units[i].name);
    return text;
}

static void how_far(const struct settings *settings, const struct strategy_state *state, uint64_t passed,
                    char text[PROGRESS_TEXT_SIZE])
{
    const struct learn_goal *goal = &settings->learn;
    char done[SPAN_SIZE], all[SPAN_SIZE];

    if (goal->mode == LEARN_DURATION)
        snprintf(text, PROGRESS_TEXT_SIZE, "%s of %s", span(passed, done), span(goal->value, all));
    else if (goal->mode == LEARN_BUFFERS)
        snprintf(text, PROGRESS_TEXT_SIZE, "%u of %llu buffers", state->phase_learned, (unsigned long long)goal->value);
    else if (state->phase_learned < settings->learn_min)
        snprintf(text, PROGRESS_TEXT_SIZE, "%u of at least %u buffers", state->phase_learned, settings->learn_min);
    else
        snprintf(text, PROGRESS_TEXT_SIZE, "%u buffers, %s of at most %s", state->phase_learned, span(passed, done),
                 span(settings->learn_max, all));
}

static const char *how_settled(const struct settings *settings, const struct strategy_state *state,
                               const struct learning *learning)
{
    static const char *const texts[] = {
        [LACK_NOTHING] = "settled",
        [LACK_BUFFERS] = "too few to judge yet",
        [LACK_MORE] = "getting better",
        [LACK_REST] = "still changing",
        [LACK_STATE] = "a state of the machine was seen only a few times",
    };

    if (state->phase_learned == 0 && state->memory.run.status == RUN_STANDS && settings->run_when.mode != RUN_ALWAYS)
        return "waiting for the machine to run";
    return texts[learning->lack];
}

void strategy_progress(const struct settings *settings, const struct strategy_state *state,
                       const struct learning *learning, int64_t now, char text[PROGRESS_TEXT_SIZE])
{
    size_t used;

    text[0] = '\0';
    if (state->phase != PHASE_LEARNING || settings->paused)
        return;
    how_far(settings, state, now > state->phase_since ? (uint64_t)(now - state->phase_since) : 0, text);
    used = strlen(text);
    snprintf(text + used, PROGRESS_TEXT_SIZE - used, ", %s", how_settled(settings, state, learning));
}

static size_t say_time(const struct alarm_plan *plan, char *text, size_t size)
{
    char time[SPAN_SIZE];
    int used = plan->rise_ms > 0 ? snprintf(text, size, " (%s)", span((uint64_t)plan->rise_ms, time)) : 0;

    return (size_t)used;
}

void strategy_promise(const struct alarm_plan *plan, uint32_t learned, char text[PROMISE_TEXT_SIZE])
{
    size_t used =
        (size_t)snprintf(text, PROMISE_TEXT_SIZE,
                         "a fault that keeps its windows beyond the line is raised within %u buffers", plan->buffers);

    used += say_time(plan, text + used, PROMISE_TEXT_SIZE - used);
    if (plan->ordered && !plan->kept)
        snprintf(text + used, PROMISE_TEXT_SIZE - used,
                 "; more false alarms than ordered are to be expected: learn more");
    else if (plan->ordered && plan->extrapolated)
        snprintf(text + used, PROMISE_TEXT_SIZE - used,
                 "; extrapolated: one false alarm in %.0f buffers is ordered, planned when %u were learned",
                 plan->expected, learned);
    else if (!plan->ordered)
        snprintf(text + used, PROMISE_TEXT_SIZE - used, "; no false alarms are ordered: the bare threshold");
}
