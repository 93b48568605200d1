#include "record/hour.h"

void hour_add(struct hour *sum, const struct hour *hour)
{
#define HOUR_ADD(name, help) sum->name += hour->name;
    HOUR_COUNTERS(HOUR_ADD)
    HOUR_SUMS(HOUR_ADD)
    HOUR_TIMES(HOUR_ADD)
#undef HOUR_ADD
    if (hour->similarity_min < sum->similarity_min)
        sum->similarity_min = hour->similarity_min;
    if (hour->phase != 0)
        sum->phase = hour->phase;
}

bool hour_heard(const struct hour *hour)
{
    return hour->learned > 0 || hour->detected > 0 || hour->idle > 0 || hour->skipped > 0 || hour->not_ready > 0 ||
           hour->duplicates > 0 || hour->refused > 0;
}
