/* What an accelerometer feels on a machine that turns: tones at multiples of its speed, noise that rushes through its
 * structure, and knocks that make the structure ring. All follow the speed and the load; a fault adds some more of them.
 * Buffers are moments apart, so each begins at a random angle. */
#ifndef HABIT_BED_ROTOR_H
#define HABIT_BED_ROTOR_H

#include "kind.h"
#include "signal.h"

enum { ROTOR_TONES = 40, ROTOR_RUSHES = 6, ROTOR_KNOCKS = 4 };

/* How a source changes. Its strength is multiplied by load^with_load x (speed / nominal speed)^with_speed. */
struct habits {
    double with_load, with_speed;
    double sway;    /* slow wander, relative */
    double flutter; /* from buffer to buffer, relative */
    double run_in;  /* by how much it is stronger when the machine is new, relative */
    bool faulty;    /* grows with the severity */
    bool fades;     /* dies with the severity */
};

struct source {
    struct habits habits;
    struct wander wander;
    double gain[BED_AXES];
};

struct rotor_tone {
    struct source source;
    double order, hz; /* frequency: order x speed + hz */
    double turn[BED_AXES];
};

struct rotor_rush {
    struct source source;
    struct resonator filter[BED_AXES];
    double swell, order; /* amplitude modulation: depth, and how often a turn */
    double coherence;    /* of the axes: 1 = all feel the same noise, 0 = each its own */
};

struct rotor_knock {
    struct source source;
    struct resonator filter[BED_AXES];
    double per_turn, per_second; /* how often: their sum */
    double slip;                 /* scatter of the time between two, relative */
    double zone;                 /* 0..1: how much weaker once a turn, where the load does not press */
    bool locked;                 /* to the angle of the shaft: at this turn of it */
    double at;
};

struct rotor_state {
    double speed, load; /* turns per second; 1 = nominal load */
};

struct rotor {
    double nominal_speed;
    double resonance[BED_AXES],
        damping[BED_AXES];                      /* of the structure: share of the sampling rate; radius of the pole */
    double mode_hz[BED_AXES], mode_q[BED_AXES]; /* what the frame adds to tones near its own frequency */
    struct wander mount[BED_AXES];              /* how well each axis is coupled, which creeps too */
    double mount_sway;
    double offset[BED_AXES], offset_sway; /* gravity and the sensor's zero, which creeps */
    struct wander creep[BED_AXES];
    double level_fault[BED_AXES]; /* what the fault adds to the offset at severity 1 */
    double sensor_noise;
    double strength; /* of the healthy vibration, nominal: what faults are measured by */
    double speed_sway, load_sway, run_in_buffers;
    double load_per_speed; /* exponent: fans and turbines draw more when they turn faster */
    struct wander speed_wander, load_wander;
    struct regimes regimes;
    struct rotor_state state[REGIMES];
    bool grows;   /* the fault is not there at once: it grows over the faulty buffers */
    bool splices; /* a change of state is seen happening */
    unsigned int tones, rushes, knocks;
    struct rotor_tone tone[ROTOR_TONES];
    struct rotor_rush rush[ROTOR_RUSHES];
    struct rotor_knock knock[ROTOR_KNOCKS];
};

/* An accelerometer on a machine of the geometry low .. high: rates as sensors offer them, speeds as motors have them, any unit.
 * Calls rotor_begin. */
struct rotor *rotor_draw(struct machine *machine, struct chance *chance, uint32_t low, uint32_t high);
/* Structure, offset and sensor noise of a machine whose geometry and rate are known. `strength` is about the rms of its healthy
 * vibration, in its unit. One state at the nominal speed and load until rotor_states is called. */
void rotor_begin(struct machine *machine, double speed, double strength, struct chance *chance);
/* `count` states from the rotor's state[], kept for stay_low .. stay_high buffers in the mean. */
void rotor_states(struct rotor *rotor, unsigned int count, double stay_low, double stay_high, struct chance *chance);

/* Add a source; `share` of the rotor's strength. */
void rotor_tone(struct machine *machine, double order, double hz, double share, struct habits habits,
                struct chance *chance);
void rotor_rush(struct machine *machine, double frequency, double radius, double share, struct habits habits,
                struct chance *chance);
void rotor_knock(struct machine *machine, double per_turn, double per_second, double share, struct habits habits,
                 struct chance *chance);
/* The same at one angle of the shaft, where a valve closes. */
void rotor_locked_knock(struct machine *machine, double at, double share, struct habits habits, struct chance *chance);
/* Tones at 1 .. highest times the speed, weaker and weaker. */
void rotor_harmonics(struct machine *machine, unsigned int highest, double share, struct chance *chance);
/* A tone with sidebands one turn beside it. */
void rotor_mesh(struct machine *machine, double order, double share, struct habits habits, struct chance *chance);

enum rotor_fault {
    ROTOR_IMBALANCE,
    ROTOR_MISALIGNMENT,
    ROTOR_LOOSENESS,
    ROTOR_BEARING,
    ROTOR_LUBRICATION,
    ROTOR_CAVITATION,
    ROTOR_BROKEN_TOOTH,
    ROTOR_WORN_TEETH,
    ROTOR_BLADE,
    ROTOR_RUB,
    ROTOR_RESONANCE,
    ROTOR_CLOGGING,
    ROTOR_CHATTER,
    ROTOR_WORN_EDGE,
    ROTOR_RATTLE,
    ROTOR_VALVE_LEAK,
    ROTOR_ROD_KNOCK,
    ROTOR_LOST_SOURCE,
    ROTOR_FAULTS
};
/* Gives the machine one of these faults. teeth: of its gear, or its blades or vanes. */
void rotor_fault(struct machine *machine, const enum rotor_fault *among, unsigned int count, unsigned int teeth,
                 struct chance *chance);

bool rotor_write(struct machine *machine, const struct moment *moment, struct block *block);

#endif
