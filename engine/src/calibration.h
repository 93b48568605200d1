/* Where the alarm line of a view lies. The logarithm of a distance is close to normal; its mean falls with 1 / count while
 * the model matures. Both are learned from distances of buffers that were not learned yet: distances of learned ones would
 * promise too much. */
#ifndef HABIT_CALIBRATION_H
#define HABIT_CALIBRATION_H

#include "knowledge.h"

#define HABIT_ALARM_SIGMAS  2.6f
#define HABIT_UNREST_SIGMAS 3.0f /* beyond which a buffer is no chance */
#define HABIT_BOUND_SIGMAS  2.5f /* beyond which a buffer is learned with less weight */

enum {
    HABIT_SCORES_NEEDED = 5,  /* before a view may judge, the skipped ones included */
    HABIT_SCORES_BOUND = 7,   /* before a strange buffer is learned with less weight */
    HABIT_FIRST_SCORED = 3,   /* buffers learned before one can be scored */
    HABIT_ALARM_MEMORY = 1024 /* buffers over which alarms while learning are counted */
};

struct habit_prediction {
    float mean, spread; /* of a nominal log distance */
};

/* log distance as it is calibrated: never of 0. */
float habit_log_distance(float distance);

struct habit_prediction habit_calibration_predict(const struct habit_calibration *calibration, uint32_t view,
                                                  uint32_t count);

/* How far a log distance is beyond the bound of what is learned with its full weight; 0 or less while the bound is not
 * known. */
float habit_calibration_beyond(const struct habit_calibration *calibration, uint32_t view, float log_distance,
                               uint32_t count);

/* One score of every view, before buffer number count + 1 was learned. Log distances of views that do not exist are 0. */
void habit_calibration_add(struct habit_calibration *calibration, const float log_distance[HABIT_VIEWS],
                           uint32_t count);

/* Standard deviations at which the alarm line lies: HABIT_ALARM_SIGMAS, and more where few scores know it. worth: equal
 * weights that the scores are worth. */
float habit_alarm_line(float worth);

/* The same for a line that would lie at k standard deviations if they were known exactly. */
float habit_line_at(float k, float worth);

/* Weight of a score taken at this count: mature models count more, and none so much that the past can never be outweighed. */
float habit_score_weight(uint32_t count);

/* Factor by which all sums are to be multiplied so that they remember the last thousand or so; applied to weights. */
float habit_weights_fade(struct habit_weights *weights);

#endif
