/* The interface of the NanoEdge AI Library documentation (anomaly detection), on the habit engine: one machine, knowledge in
 * the section .neai. firmware/MIGRATION.md says what code written for that library makes of every value. What it is compiled
 * for, and the generation of the interface, is in habit/neai_settings.h; saving, causes of errors and the way to all that the
 * engine can do are in habit/neai.h.
 *
 * data_input is BUFFER_SIZE x NB_AXES floats, interleaved by axis: x0 y0 z0 x1 y1 z1 ... It is read only.
 *
 * One caller at a time: there is one engine behind all these calls. */
#ifndef NANOEDGEAI_H
#define NANOEDGEAI_H

#include <stdbool.h>
#include <stdint.h>

#include "habit/neai_settings.h"

/* Whether what NanoEdgeAI_detect returned is a similarity, not an error. */
#define NEAI_IS_SCORE(x) ((x) <= 100)

#ifdef __cplusplus
extern "C" {
#endif

#if NEAI_GENERATION == 2

/* Forgets everything. 0 = done, 123 = board not authorised, 124 = a rate, unit or scale that it was compiled for is not valid. */
uint8_t NanoEdgeAI_initialize(void);

/* Learns a nominal buffer. 1 = learned, 0 = not: habit_neai_cause() says why. */
uint8_t NanoEdgeAI_learn(float data_input[]);

/* 0..100 = similarity, 100 = completely similar; recommended threshold: below 90 is an anomaly.
 * 123 = board not authorised, 124 = not ready (too few buffers learned, not initialised, or the knowledge that was put into
 * .neai is not fit for it), 125 = bad input (a value is not finite or beyond 1e15). With NEAI_ERRORS_AS_ZERO 0 instead. */
uint8_t NanoEdgeAI_detect(float data_input[]);

/* Linear scaler of how strange a buffer is; default 1, (0, 100], above 1 more sensitive. Others change nothing. */
void NanoEdgeAI_set_sensitivity(float sensitivity);
float NanoEdgeAI_get_sensitivity(void);

/* 0 = ready to be used, 123 = board not authorised. */
uint8_t NanoEdgeAI_get_status(void);

#elif NEAI_GENERATION == 3

enum neai_state {
    NEAI_OK = 0,
    NEAI_INIT_FCT_NOT_CALLED = 123,
    NEAI_BOARD_ERROR,            /* 124 */
    NEAI_KNOWLEDGE_BUFFER_ERROR, /* 125: a block that is damaged, or of another geometry, rate, unit, scale, profile */
    NEAI_NOT_ENOUGH_CALL_TO_LEARNING,       /* 126: learned, more is needed; detect: too few to answer */
    NEAI_MINIMAL_RECOMMENDED_LEARNING_DONE, /* 127: learned, MINIMUM_ITERATION_CALLS_FOR_EFFICIENT_LEARNING or more */
    NEAI_UNKNOWN_ERROR, /* 128: bad input: not finite, beyond 1e15, constant (learn), out of range */
    NEAI_COMPILER_ERROR /* 129: never returned; an ABI that does not fit fails to link */
};

/* Forgets everything. NEAI_OK, NEAI_BOARD_ERROR. */
enum neai_state neai_anomalydetection_init(void);

/* Takes over a knowledge block that is linked into the program or lies in flash: HABIT_NEAI_SIZE bytes, as a board or the
 * gateway saved it. NEAI_OK, or an error that changed nothing. */
enum neai_state neai_anomalydetection_knowledge(const float knowledge_buffer[]);

/* Learned: 126 or 127, never NEAI_OK. All others: not learned. */
enum neai_state neai_anomalydetection_learn(float data_input[]);

/* NEAI_OK: *similarity is 0..100. All others are errors, and *similarity is 0: code that ignores them sees an alarm. */
enum neai_state neai_anomalydetection_detect(float data_input[], uint8_t *similarity);

/* As NanoEdgeAI_set_sensitivity. */
enum neai_state neai_anomalydetection_set_sensitivity(float sensitivity);
float neai_anomalydetection_get_sensitivity(void);

#else /* 51 */

enum neai_state {
    NEAI_OK = 0,
    NEAI_ERROR = 1,           /* board not authorised, or the knowledge is not fit for this library */
    NEAI_NOT_INITIALIZED = 2, /* */
    NEAI_INVALID_PARAM = 3,   /* bad input: not finite, beyond 1e15, constant (learn), a pointer is missing */
    NEAI_NOT_SUPPORTED = 4,   /* init(true) where habit_neai_pretrained() gives nothing */
    NEAI_LEARNING_DONE = 5,
    NEAI_LEARNING_IN_PROGRESS = 6
};

/* false: forgets everything. true: starts with the block of habit_neai_pretrained(), see habit/neai.h; where that fails
 * nothing has changed. */
enum neai_state neai_anomalydetection_init(bool use_pretrained);

/* Learned: NEAI_LEARNING_IN_PROGRESS, from MINIMUM_ITERATION_CALLS_FOR_EFFICIENT_LEARNING buffers on NEAI_LEARNING_DONE.
 * All others: not learned. */
enum neai_state neai_anomalydetection_learn(float *in);

/* NEAI_OK: *similarity is 0..100. NEAI_LEARNING_IN_PROGRESS: too few to answer. Where it is not NEAI_OK *similarity is 0:
 * code that ignores it sees an alarm. */
enum neai_state neai_anomalydetection_detect(float *in, uint8_t *similarity);

char *neai_get_id(void);
int neai_get_input_signal_size(void); /* samples per axis */
int neai_get_axis_number(void);

#endif

#ifdef __cplusplus
}
#endif
#endif
