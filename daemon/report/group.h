/* Reports of machines taken together: of one asset, or of the whole fleet. */
#ifndef HABIT_REPORT_GROUP_H
#define HABIT_REPORT_GROUP_H

#include "record/report.h"

struct group_report {
    struct civil_day day;
    char asset[ASSET_SIZE]; /* "" = machines without one, or the fleet */
    double hours;
    bool complete;
    uint32_t machines, heard; /* heard: sent at least one buffer */
    struct hour total;
    double anomalies_per_hour; /* of one machine, in the mean */
    double similarity_mean;
    char worst[MACHINE_ID_SIZE]; /* longest in anomaly, then lowest similarity; "" = none */
    uint64_t longest;            /* ms that it was in anomaly */
    uint32_t lowest;             /* its lowest similarity */
    uint32_t rising;             /* machines whose trend rises */
    char next[MACHINE_ID_SIZE];  /* of those, the one that is nearest to its line; "" = none */
    double to_line, to_line_low, to_line_high;
};

/* An empty group of a day. */
void group_begin(struct group_report *group, const struct civil_day *day, const char *asset);

void group_add(struct group_report *group, const struct daily_report *report);

void group_end(struct group_report *group, int64_t now);

#endif
