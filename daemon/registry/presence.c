/* Whether a machine runs, and whether it is heard: what reports say of its hours. */
#include "registry/internal.h"
#include "report/days.h"

/* When the machine began to be silent, if nothing comes. */
static int64_t silent_from(const struct machine *machine)
{
    int64_t from = machine->state.last_seen + strategy_patience(&machine->settings, &machine->state);

    return from > machine->silence_counted ? from : machine->silence_counted;
}

int64_t presence_silent_ms(const struct machine *machine, int64_t from, int64_t to)
{
    int64_t begin = silent_from(machine);

    if (machine->state.last_seen == 0) /* it never was */
        return 0;
    begin = begin > from ? begin : from;
    return to > begin ? to - begin : 0;
}

/* Counted in the day in which it was, as far as that is not reported yet: those reports have it already. */
void presence_silence(struct registry *registry, struct machine *machine, int64_t now)
{
    int64_t from = silent_from(machine);
    struct civil_day day;

    if (machine->state.last_seen == 0 || now <= from)
        return;
    from = from > registry->closed ? from : registry->closed;
    while (from < now) {
        int64_t to;

        civil_day_of_time(from, &day);
        to = now < day.to ? now : day.to;
        machine_hour(machine, registry->store, from)->silent_ms += (uint64_t)(to - from);
        from = to;
    }
    machine->silence_counted = now;
}

void presence_running(struct machine *machine, struct hour *hour, bool running, int64_t at)
{
    int64_t passed = at - machine->state.last_measured;
    bool known = machine->state.last_measured != 0 && passed >= 0 &&
                 passed <= strategy_patience(&machine->settings, &machine->state);
    bool ran = known && machine->running != RUN_NO; /* after a restart of habitd it goes on */

    if (running && ran)
        hour->running_ms += (uint64_t)passed;
    hour->starts += running && !ran && (machine->state.last_measured == 0 || passed >= 0);
    machine->running = running ? RUN_YES : RUN_NO;
}
