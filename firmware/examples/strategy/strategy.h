/* The strategy that the NanoEdge AI Library documentation gives as an example, as a state machine that is told the time:
 *
 *     learn every minute for 24 hours
 *     then detect ten times an hour, and judge the ten together: alarm where the average is below 90
 *     learn for another hour when it gets hotter than 60 degrees while the machine is fine
 *     a report a day
 *
 * It knows no sensor, no clock and no serial line: each minute the program asks what to do, does it, and says what came of it. */
#ifndef EXAMPLE_STRATEGY_H
#define EXAMPLE_STRATEGY_H

#include <stdbool.h>
#include <stdint.h>

#include "habit/engine.h"

enum {
    STRATEGY_HOUR = 60, /* minutes */
    STRATEGY_DAY = 24 * STRATEGY_HOUR,
    STRATEGY_JUDGED = 10, /* detections an hour, judged together */
    STRATEGY_HOT = 60,    /* degrees Celsius above which a learning cycle begins */
    STRATEGY_COOL = 55    /* below which the next one may */
};

/* ACCEPT is learning too, by habit_accept: sixty buffers among 1500 would be too few to count as normal, as they should be where
 * nothing explains them; here the thermometer does. */
enum strategy_task { STRATEGY_REST, STRATEGY_LEARN, STRATEGY_ACCEPT, STRATEGY_DETECT };

/* What happened in a day. */
struct strategy_report {
    uint32_t day; /* 0 is the first */
    uint32_t learned, detected, errors;
    uint32_t hours;     /* that were judged */
    uint32_t anomalies; /* of them below the threshold */
    uint8_t lowest;     /* similarity of an hour; 100 where none was judged */
};

struct strategy {
    struct habit_engine *engine;
    struct habit_window window;
    struct strategy_report report;
    uint32_t learn_until; /* minute */
    uint8_t similarity;   /* of the last ten together */
    bool alarm;           /* that is below the threshold */
    bool was_hot;
};

void strategy_start(struct strategy *strategy, struct habit_engine *engine);

/* What to do in this minute; minutes count from the start, each is asked for once. */
enum strategy_task strategy_task(struct strategy *strategy, uint32_t minute, int temperature);

/* What habit_learn or habit_accept returned. */
void strategy_learned(struct strategy *strategy, int status);

/* What habit_detect returned, and its result. True where ten are together: similarity and alarm are new then. */
bool strategy_detected(struct strategy *strategy, int status, const struct habit_result *result);

/* True in the last minute of a day: *report is its report, and a new one begins. Asked after the task of the minute. */
bool strategy_day_ends(struct strategy *strategy, uint32_t minute, struct strategy_report *report);

#endif
