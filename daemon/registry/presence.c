/* Whether a machine is heard: what reports say of its hours. */
#include "registry/internal.h"
#include "report/days.h"

/* How long it may be quiet. Of one that has sent once nobody knows how often it will. */
static int64_t patience(const struct machine *machine)
{
    int64_t usual = strategy_patience(&machine->settings, &machine->state);

    return machine->state.interval == 0 && usual < HOUR_MS ? HOUR_MS : usual;
}

/* When the machine began to be silent, if nothing comes. */
static int64_t silent_from(const struct registry *registry, const struct machine *machine)
{
    int64_t from = machine->state.last_seen + registry->skew + patience(machine); /* to the wall clock as it is */

    return from > machine->silence_counted ? from : machine->silence_counted;
}

static int64_t overlap(int64_t from, int64_t to, int64_t low, int64_t high)
{
    from = from > low ? from : low;
    to = to < high ? to : high;
    return to > from ? to - from : 0;
}

int64_t presence_silent_ms(const struct registry *registry, const struct machine *machine, int64_t from, int64_t to)
{
    if (machine->state.last_seen == 0) /* it never was */
        return 0;
    return overlap(machine->gap_from, machine->gap_to, from, to) +
           overlap(silent_from(registry, machine), to, from, to);
}

void presence_silence(struct registry *registry, struct machine *machine, int64_t now)
{
    int64_t from = silent_from(registry, machine);
    struct civil_day day;

    if (machine->state.last_seen == 0 || now <= from)
        return;
    civil_day_of_time(now, &day);
    if (from < day.from) {
        machine->gap_from = from;
        machine->gap_to = day.from;
        from = day.from;
    }
    machine->silence_counted = now;
    if (now > registry->closed)
        machine_hour(machine, registry->store, now)->silent_ms += (uint64_t)(now - from);
}
