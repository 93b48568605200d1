/* The plan of a machine: worked out anew when what it follows from has changed noticeably, not with each buffer. */
#include <math.h>

#include "registry/internal.h"

static bool near(double a, double b)
{
    return fabs(a - b) <= 0.25 * fmax(a, b);
}

static bool still_fits(const struct machine *machine, const struct alarm_figures *figures)
{
    const struct alarm_figures *planned = &machine->planned;

    return planned->window == figures->window && near(planned->learned, figures->learned) &&
           near(planned->interval, figures->interval) && planned->order.count == figures->order.count &&
           planned->order.per == figures->order.per;
}

const struct alarm_plan *machine_plan(struct machine *machine)
{
    struct habit_info info = { 0 };
    struct alarm_figures figures = { .order = machine->settings.false_alarms,
                                     .window = machine->settings.window,
                                     .window_rate = HABIT_WINDOW_RATE,
                                     .interval = alarm_interval(&machine->settings, &machine->state) };

    habit_peek(machine->memory.knowledge, machine->memory.knowledge_size, &info);
    figures.learned = info.learned;
    if (!still_fits(machine, &figures)) {
        machine->plan = alarm_plan_make(&figures);
        machine->planned = figures;
    }
    return &machine->plan;
}
