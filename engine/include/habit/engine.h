/* habit: learns what is normal for one machine from its sensor buffers, and says how strange a buffer is.
 *
 * No heap, no operating system, no clock, no globals: one struct habit_engine per machine, in memory of the caller whose
 * sizes are known beforehand. The same buffers in the same order give the same knowledge and the same distances, bit for
 * bit, on every processor.
 *
 * A buffer is buffer_size samples of `axes` values, interleaved by axis: x0 y0 z0 x1 y1 z1 ...
 *
 *     static uint32_t knowledge[1024], cache[1024], scratch[4096];
 *     struct habit_config config = HABIT_CONFIG_DEFAULT;
 *     struct habit_memory memory = { knowledge, sizeof(knowledge), cache, sizeof(cache), scratch, sizeof(scratch) };
 *     struct habit_engine engine;
 *
 *     config.buffer_size = 256;
 *     config.axes = 3;
 *     if (habit_init(&engine, &config, &memory) == HABIT_OK)
 *         habit_learn(&engine, samples, 768, NULL);
 *
 * Thread rules: one caller at a time per engine and per scratch; different engines with different scratches are independent.
 * No call allocates, blocks or recurses; time depends on the geometry alone.
 *
 * Errors: every call that can fail returns one of HABIT_RESULTS. After anything but HABIT_OK the knowledge is unchanged to
 * the byte, and results passed by pointer are not written. An error is never a score. Every call on an engine may also
 * return what habit_attach says, when the knowledge memory was replaced behind its back by something that is not fit for it;
 * an engine that was never initialised counts as a pointer that is missing. */
#ifndef HABIT_ENGINE_H
#define HABIT_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "habit/abi.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
    HABIT_MAX_BUFFER_SIZE = 4096, /* samples */
    HABIT_MAX_AXES = 16,
    HABIT_MAX_WINDOW = 64,   /* detections judged together */
    HABIT_MAX_REASONS = 5,   /* parts of an explanation */
    HABIT_UNIT_SIZE = 12,    /* bytes of a unit's name, filled up with zeros */
    HABIT_HEADER_SIZE = 128, /* bytes before the body of a knowledge block */
    HABIT_FORMAT_VERSION = 1 /* of the knowledge block */
};

#define HABIT_MAX_VALUE       1e15f /* larger magnitudes are refused */
#define HABIT_MAX_SENSITIVITY 100   /* sensitivity is in (0, 100]; below 1e-15 counts as 0 */
#define HABIT_THRESHOLD       90    /* recommended: alarm where similarity < threshold; distance 1 is exactly here */

/* name, value, text */
#define HABIT_RESULTS(X)                                                       \
    X(OK, 0, "done")                                                           \
    X(ENOTREADY, -1, "not enough buffers were learned to judge one")           \
    X(ENULL, -2, "a pointer is missing")                                       \
    X(ECONFIG, -3, "a value of the configuration is out of its range")         \
    X(EMEMORY, -4, "memory is too small or not aligned to 4 bytes")            \
    X(ECOUNT, -5, "not buffer_size x axes values")                             \
    X(EVALUE, -6, "a value is not finite, or beyond 1e15")                     \
    X(ECONSTANT, -7, "all axes are constant: a dead sensor is not learned")    \
    X(ERANGE, -8, "outside the range of this setting")                         \
    X(EBLOCK, -9, "not a knowledge block")                                     \
    X(EVERSION, -10, "a knowledge block of another format version")            \
    X(EUNSEALED, -11, "the knowledge block was copied without being sealed")   \
    X(ECRC, -12, "the knowledge block is damaged")                             \
    X(EMEANING, -13, "the knowledge block holds values that no engine writes") \
    X(EMISMATCH, -14, "the knowledge block is of another geometry, rate, unit, scale or profile")

enum habit_status {
#define HABIT_RESULT_ENUM(name, value, text) HABIT_##name = (value),
    HABIT_RESULTS(HABIT_RESULT_ENUM)
#undef HABIT_RESULT_ENUM
};

/* What a result means, in English; never NULL. */
const char *habit_text(int result);

/* ------------------------------------------------------------------------------------------ configuration and memory */

enum habit_profile { HABIT_PROFILE_SMALL, HABIT_PROFILE_DEFAULT, HABIT_PROFILE_LARGE, HABIT_PROFILES };

/* What the engine must know of a sensor. All of it is part of the knowledge: a block of another sensor is refused. */
struct habit_config {
    uint16_t buffer_size;       /* samples in a buffer, 1..4096 */
    uint8_t axes;               /* values in a sample, 1..16 */
    uint8_t profile;            /* enum habit_profile: how much memory the knowledge may take */
    float sampling_hz;          /* samples per second, 1e-15..1e15; 0 = unknown: explanations then count in bins */
    float scale;                /* unit per step of an int16 sample, 1e-15..1e15; floats are in the unit already */
    char unit[HABIT_UNIT_SIZE]; /* for people: "g", "mm/s", "A"; printable ASCII, zero-padded; may be empty */
};

#define HABIT_CONFIG_DEFAULT                            \
    {                                                   \
        .profile = HABIT_PROFILE_DEFAULT, .scale = 1.0f \
    }

/* Bytes needed for a configuration; 0 if the configuration is not valid. */
size_t habit_knowledge_size(const struct habit_config *config);
size_t habit_cache_size(const struct habit_config *config);
size_t habit_scratch_size(const struct habit_config *config);

/* Caller's memory, aligned to 4 bytes, which must outlive the engine.
 * knowledge  everything that was learned; the only part worth saving.
 * cache      what detect would otherwise compute anew each time; rebuilt from the knowledge when needed.
 * scratch    used during a call only; engines that are never called at the same time may share it. */
struct habit_memory {
    void *knowledge;
    size_t knowledge_size;
    void *cache;
    size_t cache_size;
    void *scratch;
    size_t scratch_size;
};

/* Private; here so that the caller can provide its memory. */
struct habit_engine {
    struct habit_config config;
    struct habit_memory memory;
    uint32_t stamp;  /* of the knowledge that cache and checks are about */
    uint32_t cached; /* 1 when the cache fits the knowledge */
    uint32_t ready;  /* HABIT_ENGINE_READY between init and the end */
};

/* Makes an engine that has learned nothing. On an engine that exists: forget everything.
 * Returns HABIT_OK, ENULL, ECONFIG, EMEMORY. */
int habit_init(struct habit_engine *engine, const struct habit_config *config, const struct habit_memory *memory)
    HABIT_ABI_SYMBOL(habit_init);

/* Makes an engine on a sealed block that lies in the knowledge memory already: memory that kept its content over a reset, or
 * was restored before there was an engine. Nothing is changed where it fails. Returns as habit_init, and as habit_load. */
int habit_open(struct habit_engine *engine, const struct habit_config *config, const struct habit_memory *memory)
    HABIT_ABI_SYMBOL(habit_open);

/* Uses another scratch of at least habit_scratch_size from now on. Returns HABIT_OK, ENULL, EMEMORY. */
int habit_use_scratch(struct habit_engine *engine, void *scratch, size_t size);

/* ------------------------------------------------------------------------------------------------ learn and detect */

enum habit_missing {
    HABIT_MISSING_NOTHING, /* settled */
    HABIT_MISSING_BUFFERS, /* too few buffers to detect at all */
    HABIT_MISSING_MORE,    /* detects, and gets better with more buffers */
    HABIT_MISSING_REST, /* still changing: recent buffers keep looking strange before they are learned, or the levels of
                                * later ones are elsewhere than those of earlier ones */
    HABIT_MISSING_STATE, /* a state of the machine was seen only a few times: see `rare` */
    HABIT_MISSINGS,
    HABIT_MISSING_WIDE = 0x7fffffff /* 32 bits with -fshort-enums too, as all types that others lay out */
};

/* What is missing, in English; never NULL. */
const char *habit_missing_text(enum habit_missing missing);

struct habit_progress {
    uint32_t learned; /* buffers learned so far; stays at 2^32 - 1 */
    uint32_t needed;  /* buffers that are still needed before detect answers; 0 = ready.
                                * 8 at first; up to 2 more where that many of the first 8 were left out as outliers */
    float weight;     /* with which the last buffer was learned, 0..1; below 1 it looked strange */
    float settled;    /* 0..1: 1 when more of the same would change little. At most 0.5 while HABIT_MISSING_REST or
                                * HABIT_MISSING_STATE. It speaks of what was learned: nothing tells of a change to come */
    float
        false_alarms; /* own estimate of the share of nominal buffers with similarity < 90, at sensitivity 1: alarms that
                                * were counted before buffers were learned, beside what machines that stay as they are
                                * usually have; for a machine that does */
    bool extrapolated; /* that estimate is below 1 / (learned + 1): more than was counted */
    uint32_t
        states;    /* of the machine that count as normal: they differ in spectrum, amplitude or shape; 0 = too early */
    uint32_t rare; /* how often the rarest state was seen that does not count yet; 0 = there is none */
    enum habit_missing missing;
    uint16_t
        clipped; /* of the buffer that habit_learn() was given; bit a: axis a stays at its extremes: range exceeded? */
};

/* Teach the engine one nominal buffer; possible at any time, in the beginning and later.
 *
 * samples  buffer_size x axes values, interleaved by axis, in the sensor's own unit; finite, magnitude at most 1e15.
 * count    how many values there are; anything but buffer_size x axes is refused.
 * progress (out, may be NULL) what the engine made of it.
 *
 * Returns HABIT_OK, ENULL, ECOUNT, EVALUE, ECONSTANT. */
int habit_learn(struct habit_engine *engine, const float *samples, size_t count, struct habit_progress *progress);

/* The same for int16 samples; x = (float)sample * config.scale. Gives the same bytes as habit_learn on those x. */
int habit_learn_i16(struct habit_engine *engine, const int16_t *samples, size_t count, struct habit_progress *progress);

enum habit_kind {
    HABIT_KIND_BAND,          /* energy in a band of frequencies, relative to what is usual there */
    HABIT_KIND_AMPLITUDE,     /* rms around the mean */
    HABIT_KIND_IMPULSIVENESS, /* peaks and shocks in proportion to the rms */
    HABIT_KIND_ASYMMETRY,     /* upper and lower half differ */
    HABIT_KIND_LEVEL,         /* the mean */
    HABIT_KIND_WAVEFORM,      /* one of the eight parts of a waveform that repeats in phase */
    HABIT_KINDS,
    HABIT_KIND_WIDE = 0x7fffffff
};

/* "band", "amplitude", ...; never NULL. */
const char *habit_kind_name(enum habit_kind kind);

/* One cause that would explain why the buffer is strange. */
struct habit_reason {
    uint8_t axis;   /* 0 .. axes - 1 */
    uint8_t kind;   /* enum habit_kind */
    bool in_hz;     /* band: from and to are Hz, else bins of the spectrum */
    float from, to; /* band: lowest and highest frequency; waveform: first and last sample; else 0 */
    float sigmas;   /* signed: how many standard deviations above (+) or below (-) what was learned */
};

struct habit_result {
    uint8_t similarity; /* 0..100; 100 = completely similar; below 90 = alarm at the defaults */
    float distance;     /* > 0, unbounded, before sensitivity; 1 = alarm line at sensitivity 1 and threshold 90 */
    float p_value;      /* probability that a nominal buffer is at least as strange, by the engine's own model */
    float score;        /* in standard deviations of what is usual; this is what windows add up. The alarm line lies at
                         * score / (1 + log distance): 2.6 to 3.3 once 200 buffers were learned, up to 9.6 before, and further
                         * out where buffers resemble the ones before */
    bool extrapolated;  /* p_value is below 1 / (learned + 1) */
    uint16_t constant;  /* bit a: axis a did not move at all: dead sensor? */
    uint16_t clipped;   /* bit a: axis a stays at its extremes: range exceeded? */
    uint8_t reasons;    /* how many of reason[] are filled */
    struct habit_reason
        reason[HABIT_MAX_REASONS];   /* likeliest first: by how much of the distance would go away with it */
    float level[HABIT_MAX_AXES];     /* mean of each axis, in the sensor's unit */
    float amplitude[HABIT_MAX_AXES]; /* rms around that mean */
};

/* Compare one buffer with the knowledge, which it never changes.
 *
 * Reasons are in the order of how much of the distance would go away if what they name had not happened, with what follows
 * from it: a tone lifts its band and the amplitude too, yet the band is named first. So sigmas need not fall from one to the
 * next: a steady feature is many deviations off when it only follows. An alarm (similarity below 90) has one reason at least;
 * all others are two standard deviations off at least. Below half the way to the alarm line there are none.
 *
 * samples, count as in habit_learn. Returns HABIT_OK, ENULL, ECOUNT, EVALUE, ENOTREADY. */
int habit_detect(struct habit_engine *engine, const float *samples, size_t count, struct habit_result *result);
int habit_detect_i16(struct habit_engine *engine, const int16_t *samples, size_t count, struct habit_result *result);

/* Similarity that belongs to a distance at a sensitivity, as detect computes it:
 * d = sensitivity x distance; d <= 1: max(90, round(100 x 0.9^(d d))), else min(89, floor(100 x 0.9^(d d))). 0 where d is no
 * number. */
uint8_t habit_similarity(float distance, float sensitivity);

/* An operator says that these n buffers, back to back, are normal: they count as a state of the machine from now on,
 * whatever their share of all learned ones. n >= 1. All are taken or none. Returns as habit_learn. */
int habit_accept(struct habit_engine *engine, const float *buffers, size_t n);

/* ------------------------------------------------------------------------------------------------------- the window */

/* The last K detections of a machine, judged together: catches weak faults that single buffers miss. A flat struct that
 * may be saved and restored as bytes. */
struct habit_window {
    uint16_t size;                 /* K, 1..HABIT_MAX_WINDOW */
    uint16_t count;                /* filled so far, 0..K */
    uint16_t next;                 /* where the next goes, 0..K-1 */
    uint16_t reserved;             /* 0 */
    float score[HABIT_MAX_WINDOW]; /* ring of habit_result.score */
};

/* How sure it is that the machine is not as it was learned; how far it went is in the single distances. A single score counts
 * 2.5 standard deviations at most, so of a machine that has changed completely the distance of ten ends near 5 (similarity 10)
 * where hundreds of buffers were learned, near 2.4 (55) after 60, just above 1 (87) after 20. Of ordinary buffers it lies around
 * 0.4, not at 0. */
struct habit_average {
    uint8_t similarity; /* 0..100, that belongs to the distance */
    float distance;     /* > 0; 1 = alarm line of the window at sensitivity 1 and threshold 90 */
};

/* Share of all full windows of a nominal machine that lie below the threshold at the defaults, for K = 10. Overlapping windows
 * are counted each, so windows that raise come several in a row. It is the stated rate within a factor of two where buffers
 * correlate with their neighbours up to 0.6 and 60 buffers or more were learned; with fewer it is lower. */
#define HABIT_WINDOW_RATE 0.005f

/* Empties a window of K detections. Returns HABIT_OK, ENULL, ERANGE. */
int habit_window_init(struct habit_window *window, unsigned int size);

/* Whether bytes from outside are a window that these calls may be given. */
bool habit_window_valid(const struct habit_window *window);

/* Adds a detection; the oldest of K leaves. Returns HABIT_OK, ENULL, ERANGE (not a window), EVALUE (no detection wrote this
 * result: its score is no number). */
int habit_window_add(struct habit_window *window, const struct habit_result *result);

/* Judges the window by the engine's knowledge of how scores scatter and of how alike consecutive ones are. The strangest of
 * K > 2 detections only says what to expect of the others: the stranger it is, the more they must show, so one strange buffer
 * never raises alone. The others are limited.
 * Returns HABIT_OK, ENULL, ERANGE (not a window), ENOTREADY (fewer than K detections, or the engine has scored too few
 * buffers while learning). */
int habit_window_result(struct habit_engine *engine, const struct habit_window *window, struct habit_average *average);

/* ----------------------------------------------------------------------------------------------- settings and state */

/* Default 1; > 1 = more sensitive; steps of 0.1 recommended. Changes only what detect returns.
 * Returns HABIT_OK, ENULL, ERANGE (not in (0, 100], below 1e-15, or no number). */
int habit_set_sensitivity(struct habit_engine *engine, float sensitivity);
float habit_get_sensitivity(const struct habit_engine *engine); /* 0 where the engine is not initialised */

/* How far learning is. Returns HABIT_OK, ENULL. */
int habit_status(struct habit_engine *engine, struct habit_progress *progress);

/* How far the mean of what was learned has moved since commissioning, in standard deviations of what was learned then: the
 * largest over the features. 0 until there is a baseline. What an operator accepted belongs to the baseline.
 * Returns HABIT_OK, ENULL. */
int habit_drift(struct habit_engine *engine, float *drift);

/* --------------------------------------------------------------------------------------------------- knowledge block */

/* Brings header and CRC up to date. Call it before the knowledge memory is copied: what is copied without it is refused by
 * habit_check. Learning after it makes the block unsealed again. Returns HABIT_OK, ENULL. */
int habit_seal(struct habit_engine *engine);

struct habit_info {
    struct habit_config config;
    float sensitivity;
    uint32_t learned;
    uint32_t size; /* of the block, in bytes */
    uint32_t crc;  /* CRC32C of the block */
    uint16_t format;
};

/* Validates a block from anywhere: structure, CRC, ranges, finiteness. info (out, may be NULL) is what it is of.
 * bytes need no alignment. Returns HABIT_OK, ENULL, EBLOCK, EVERSION, EUNSEALED, ECRC, EMEANING. */
int habit_check(const void *bytes, size_t size, struct habit_info *info);

/* Reads what the bytes say they are, in whatever state and of whatever format version, to find a block in a larger memory and
 * to name both sides of a refusal. Only `size` and `format` mean something where the format is another version's; nothing is
 * promised before habit_check says so too, the size least of all.
 * bytes need no alignment; size: how many there are, HABIT_HEADER_SIZE at least. Returns HABIT_OK, ENULL, EBLOCK. */
int habit_peek(const void *bytes, size_t size, struct habit_info *info);

enum habit_field {
    HABIT_FIELD_NONE,
    HABIT_FIELD_BUFFER_SIZE,
    HABIT_FIELD_AXES,
    HABIT_FIELD_PROFILE,
    HABIT_FIELD_SAMPLING_HZ,
    HABIT_FIELD_SCALE,
    HABIT_FIELD_UNIT,
    HABIT_FIELD_WIDE = 0x7fffffff
};

/* "buffer size", "axes", ...; never NULL. */
const char *habit_field_name(enum habit_field field);

/* First field in which two configurations differ. Floats must agree in every bit. */
enum habit_field habit_config_compare(const struct habit_config *a, const struct habit_config *b);

/* Validates a block and replaces the engine's knowledge by it. The block's configuration must be the engine's.
 * Returns as habit_check, and EMISMATCH. */
int habit_load(struct habit_engine *engine, const void *bytes, size_t size);

/* Checks the knowledge memory in place, where something other than this engine wrote to it (restored from flash behind the
 * engine's back). Also done by itself whenever the block's stamp is not the engine's. Returns as habit_load. */
int habit_attach(struct habit_engine *engine);

#ifdef __cplusplus
}
#endif
#endif
