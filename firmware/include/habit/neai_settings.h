/* What the compatible interfaces are compiled for. All are macros for the compiler's command line, the same for the library's
 * sources and for the program's: -DNB_AXES=3 -DBUFFER_SIZE=128 ... Where a program and its library differ in generation, axes,
 * buffer size, profile or ABI, the link fails and names what the program wants, for example
 * habit_neai_g2_3x128_p0_for_v7em_hard_sp (gcc for Arm; other compilers do not check).
 *
 * macro                 default                 what
 * NEAI_GENERATION       2                       2: Studio 2.x. 3: Studio 3.x to 5.0. 51: Studio 5.1 and later.
 * NB_AXES               3                       values in a sample, 1..16; also AXIS_NUMBER, NEAI_INPUT_AXIS_NUMBER
 * BUFFER_SIZE           256                     samples in a buffer, 1..4096; also DATA_INPUT_USER, NEAI_INPUT_SIGNAL_LENGTH
 * NEAI_PROFILE          1                       memory for knowledge: 0 small, 1 default, 2 large
 * NEAI_ID               "habit"                 text without meaning; code that prints it finds it
 * NEAI_SAMPLING_HZ      0.0f                    samples per second, 0 = unknown; part of the knowledge, as are the next two:
 * NEAI_UNIT             ""                      they must be those of the gateway where knowledge goes there and back
 * NEAI_SCALE            1.0f                    unit per step of an int16 sample, of use with habit_neai_engine() only
 * NEAI_ERRORS_AS_ZERO   0                       1: what NanoEdgeAI_detect returns for an error is 0 instead of 123..125
 * MINIMUM_ITERATION_CALLS_FOR_EFFICIENT_LEARNING
 *                       60                      buffers after which learn says that the recommended minimum is done, 10..
 */
#ifndef HABIT_NEAI_SETTINGS_H
#define HABIT_NEAI_SETTINGS_H

#include "habit/abi.h"

#ifndef NEAI_GENERATION
#define NEAI_GENERATION 2
#endif
#if NEAI_GENERATION != 2 && NEAI_GENERATION != 3 && NEAI_GENERATION != 51
#error "NEAI_GENERATION must be 2 (Studio 2.x), 3 (Studio 3.x to 5.0) or 51 (Studio 5.1 and later)"
#endif

/* Three spellings of two numbers: the first that is given counts, all are there in the end. */
#ifndef NB_AXES
#if defined(AXIS_NUMBER)
#define NB_AXES AXIS_NUMBER
#elif defined(NEAI_INPUT_AXIS_NUMBER)
#define NB_AXES NEAI_INPUT_AXIS_NUMBER
#else
#define NB_AXES 3
#endif
#endif
#ifndef AXIS_NUMBER
#define AXIS_NUMBER NB_AXES
#endif
#ifndef NEAI_INPUT_AXIS_NUMBER
#define NEAI_INPUT_AXIS_NUMBER NB_AXES
#endif
#ifndef BUFFER_SIZE
#if defined(DATA_INPUT_USER)
#define BUFFER_SIZE DATA_INPUT_USER
#elif defined(NEAI_INPUT_SIGNAL_LENGTH)
#define BUFFER_SIZE NEAI_INPUT_SIGNAL_LENGTH
#else
#define BUFFER_SIZE 256
#endif
#endif
#ifndef DATA_INPUT_USER
#define DATA_INPUT_USER BUFFER_SIZE
#endif
#ifndef NEAI_INPUT_SIGNAL_LENGTH
#define NEAI_INPUT_SIGNAL_LENGTH BUFFER_SIZE
#endif
#if AXIS_NUMBER != NB_AXES || NEAI_INPUT_AXIS_NUMBER != NB_AXES
#error "NB_AXES, AXIS_NUMBER and NEAI_INPUT_AXIS_NUMBER are the same number: define one of them"
#endif
#if DATA_INPUT_USER != BUFFER_SIZE || NEAI_INPUT_SIGNAL_LENGTH != BUFFER_SIZE
#error "BUFFER_SIZE, DATA_INPUT_USER and NEAI_INPUT_SIGNAL_LENGTH are the same number: define one of them"
#endif
#if NB_AXES < 1 || NB_AXES > 16
#error "NB_AXES must be 1..16"
#endif
#if BUFFER_SIZE < 1 || BUFFER_SIZE > 4096
#error "BUFFER_SIZE must be 1..4096"
#endif

#ifndef NEAI_PROFILE
#define NEAI_PROFILE 1
#endif
#if NEAI_PROFILE != 0 && NEAI_PROFILE != 1 && NEAI_PROFILE != 2
#error "NEAI_PROFILE must be 0 (small), 1 (default) or 2 (large)"
#endif

#ifndef NEAI_ID
#define NEAI_ID "habit"
#endif
#ifndef NEAI_SAMPLING_HZ
#define NEAI_SAMPLING_HZ 0.0f
#endif
#ifndef NEAI_UNIT
#define NEAI_UNIT ""
#endif
#ifndef NEAI_SCALE
#define NEAI_SCALE 1.0f
#endif

#ifndef NEAI_ERRORS_AS_ZERO
#define NEAI_ERRORS_AS_ZERO 0
#endif
#if NEAI_ERRORS_AS_ZERO != 0 && NEAI_ERRORS_AS_ZERO != 1
#error "NEAI_ERRORS_AS_ZERO must be 0 or 1"
#endif

/* Detect answers from the 8th to 10th buffer on; with so few, a machine that runs as usual falls below 90 far more often than
 * once in 100 buffers. */
#ifndef MINIMUM_ITERATION_CALLS_FOR_EFFICIENT_LEARNING
#define MINIMUM_ITERATION_CALLS_FOR_EFFICIENT_LEARNING 60
#endif
#if MINIMUM_ITERATION_CALLS_FOR_EFFICIENT_LEARNING < 10
#error "MINIMUM_ITERATION_CALLS_FOR_EFFICIENT_LEARNING must be 10 at least: detect may need so many"
#endif

/* The name of what was compiled, ABI included, and a reference to it that costs no byte of flash: the section is not loaded. */
#define HABIT_NEAI_JOIN(generation, axes, samples, profile) habit_neai_g##generation##_##axes##x##samples##_p##profile
#define HABIT_NEAI_NAME(generation, axes, samples, profile) HABIT_NEAI_JOIN(generation, axes, samples, profile)
#define HABIT_NEAI_PLAIN                                    HABIT_NEAI_NAME(NEAI_GENERATION, NB_AXES, BUFFER_SIZE, NEAI_PROFILE)
#if defined(HABIT_ABI_ARCHITECTURE)
#define HABIT_NEAI_BUILD HABIT_ABI_JOIN(HABIT_NEAI_PLAIN, HABIT_ABI_ARCHITECTURE, HABIT_ABI_FLOAT)
#else
#define HABIT_NEAI_BUILD HABIT_NEAI_PLAIN
#endif

#if defined(HABIT_ABI_ARCHITECTURE) && defined(__ELF__) && !defined(__clang__)
__asm__(".pushsection .note.habit, \"\", %note\n"
        "    .long 0\n"
        "    .reloc .-4, R_ARM_NONE, " HABIT_ABI_STRING(HABIT_NEAI_BUILD) "\n"
                                                                          ".popsection");
#endif

#endif
