/* The kinds, one line each; kinds.c has them in the order in which they are printed. */
#ifndef HABIT_BED_KINDS_H
#define HABIT_BED_KINDS_H

#include "kind.h"

extern const struct kind kind_gearbox;       /* under two to four loads */
extern const struct kind kind_fan;           /* at three or four speeds */
extern const struct kind kind_bearing;       /* runs in; its fault grows */
extern const struct kind kind_turbine;       /* at any speed */
extern const struct kind kind_pump;          /* flow noise, wandering level */
extern const struct kind kind_conveyor;      /* starts and stops */
extern const struct kind kind_cutting;       /* different cuts, strong scatter */
extern const struct kind kind_compressor;    /* pistons and valves */
extern const struct kind kind_sound;         /* a microphone in a hall */
extern const struct kind kind_motor_current; /* one to three phases */
extern const struct kind kind_hum;           /* mains hum with amplitude modulation */
extern const struct kind kind_hydraulic;     /* a cycle that begins with the buffer */
extern const struct kind kind_press;         /* the same with several products */
extern const struct kind kind_spectra;       /* inputs that are spectra already */
extern const struct kind kind_pulses;        /* heartbeats */
extern const struct kind kind_process;       /* slow values that follow the hour */
extern const struct kind kind_ties;          /* values that move together */

#endif
