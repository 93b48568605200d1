/* The daily report of one machine, as it is made, stored and served. */
#ifndef HABIT_RECORD_REPORT_H
#define HABIT_RECORD_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "record/hour.h"

enum {
    REPORT_HOURS = 50, /* most parts of a day: 25, or 48 where a zone moves over the date line, and one at each end */
    DATE_SIZE = 11,    /* "2026-11-22" */
    ASSET_SIZE = 64
};

struct civil_day {
    char date[DATE_SIZE];
    int64_t from, to; /* wall ms: local midnight to local midnight; 23, 24 or 25 h and stranger ones */
};

/* Where the daily mean of the logarithm of the distance goes, by its last days. Slopes are per day. */
struct trend {
    uint32_t days;                    /* that had judged buffers; the rest is NAN where they are too few */
    double level;                     /* on the line through them, on the last day */
    double slope;                     /* median of all pairs' */
    double slope_low, slope_high;     /* 90 % interval */
    bool rising;                      /* the interval lies above 0 */
    double to_line;                   /* days until the level meets the alarm line; NAN unless rising, 0 = met */
    double to_line_low, to_line_high; /* by the interval of the slope */
};

struct daily_report {
    struct civil_day day;
    int64_t machine_row;
    char machine[MACHINE_ID_SIZE], asset[ASSET_SIZE];
    double hours;      /* length of the day */
    bool young;        /* the machine was made after the day */
    bool complete;     /* the day is over */
    int64_t made;      /* wall ms; 0 = not stored yet: figures of the moment */
    struct hour total; /* of the day; start is the day's */
    struct hour hour[REPORT_HOURS];
    size_t hour_count;         /* one for each part of an hour of UTC in the day, those without buffers too */
    double anomalies_per_hour; /* over the hours that have passed */
    double similarity_mean;    /* NAN = nothing was detected */

    /* In force when the report was made. */
    uint32_t knowledge_learned, knowledge_crc;
    float sensitivity;
    uint32_t threshold;

    /* The strangest anomaly that was open in the day. */
    int64_t worst; /* its id; 0 = none was open */
    uint32_t worst_similarity;
    float worst_distance;
    char *worst_explanation; /* JSON array; heap, NULL = none */

    struct trend trend;
};

/* How far days are reported. */
struct report_progress {
    int64_t closed; /* wall ms: hours that start before are in a report, or in one that is being made: they stay */
    int64_t made;   /* wall ms: the end of the last day whose reports are all made; 0 = none yet */
    char date[DATE_SIZE]; /* of that day; "" = none yet */
};

#endif
