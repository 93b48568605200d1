/* The parts of promise-window, and what they share: machines whose neighbouring buffers are alike, and a window
 * over their detections. */
#ifndef PROMISES_WINDOWS_H
#define PROMISES_WINDOWS_H

#include "kinds.h"
#include "machine.h"
#include "verdict.h"

enum { WINDOW = 10, LAGS = 3, WINDOW_KINDS = 5 };

/* Share of the windows of a healthy machine that fall below the line. */
#define WINDOW_STATED ((double)HABIT_WINDOW_RATE)

extern const double window_lag[LAGS];
extern const enum kind window_kind[WINDOW_KINDS];

/* Small buffers whose amplitudes and levels wander with this correlation of neighbours. */
void windows_draw(enum kind kind, double lag, struct signal *signal, struct chance *chance);

/* Whether the window is full and below the threshold. */
bool windows_alarm(struct machine *machine, const struct habit_window *window);

/* Adds the next buffer's detection. */
struct habit_result windows_step(struct machine *machine, struct signal *signal, struct habit_window *window);

void windows_quiet(const struct options *options, struct verdict *verdict);
void windows_gain(const struct options *options, struct verdict *verdict);
void windows_alone(const struct options *options, struct verdict *verdict);
void windows_recordings(const struct options *options, struct verdict *verdict);

#endif
