#include "record/hour.h"

void hour_add(struct hour *sum, const struct hour *hour)
{
#define HOUR_ADD(name, help) sum->name += hour->name;
    HOUR_COUNTERS(HOUR_ADD)
#undef HOUR_ADD
    sum->similarity_sum += hour->similarity_sum;
    sum->log_distance_sum += hour->log_distance_sum;
    sum->anomaly_ms += hour->anomaly_ms;
    if (hour->similarity_min < sum->similarity_min)
        sum->similarity_min = hour->similarity_min;
}
