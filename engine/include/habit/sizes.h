/* Bytes of an engine's memory as constant expressions, so that arrays can be declared:
 *
 *     static uint32_t knowledge[HABIT_KNOWLEDGE_SIZE(256, 3, HABIT_PROFILE_SMALL) / 4];
 *     static uint32_t cache[HABIT_CACHE_SIZE(256, 3, HABIT_PROFILE_SMALL) / 4];
 *     static uint32_t scratch[HABIT_SCRATCH_SIZE(256, 3, HABIT_PROFILE_SMALL) / 4];
 *
 * buffer_size 1..4096, axes 1..16, profile as in habit/engine.h, all constant; multiples of 4. They are what
 * habit_knowledge_size(), habit_cache_size() and habit_scratch_size() return, to the byte: a test compares all geometries.
 * What a program needs is then known when it is linked, and the linker says by how many bytes it does not fit. */
#ifndef HABIT_SIZES_H
#define HABIT_SIZES_H

#include "habit/engine.h"

#define HABIT_KNOWLEDGE_SIZE(buffer_size, axes, profile)                                                      \
    (4u * HABIT_SIZES_MAX(                                                                                    \
              HABIT_SIZES_FIXED(buffer_size, axes, profile) + HABIT_SIZES_MODELS(buffer_size, axes, profile), \
              HABIT_SIZES_FIXED(buffer_size, axes, profile) + 7u * HABIT_SIZES_VECTOR(buffer_size, axes, profile)))

#define HABIT_CACHE_SIZE(buffer_size, axes, profile)                                                        \
    (4u * (HABIT_SIZES_VIEW(axes, HABIT_SIZES_SPECTRUM(buffer_size, profile), HABIT_SIZES_MODES(profile)) + \
           HABIT_SIZES_COUPLED(buffer_size, axes, profile) * HABIT_SIZES_TRIANGLE(axes) +                   \
           HABIT_SIZES_VIEW(1u, (axes), HABIT_SIZES_PROTOTYPES(profile)) +                                  \
           HABIT_SIZES_VIEW(axes, HABIT_SIZES_WAVEFORM(buffer_size, profile), 2u)))

#define HABIT_SCRATCH_SIZE(buffer_size, axes, profile)                                                               \
    (4u *                                                                                                            \
     (HABIT_SIZES_WIDEST(buffer_size, axes, profile) + HABIT_SIZES_VECTOR(buffer_size, axes, profile) +              \
      HABIT_SIZES_MAX(HABIT_SIZES_WORK(buffer_size, axes, profile) + HABIT_SIZES_VECTOR(buffer_size, axes, profile), \
                      7u * HABIT_SIZES_VECTOR(buffer_size, axes, profile))))

/* ---------------------------------------------------------------- private: the same steps as engine/src/layout.c, in words */

#define HABIT_SIZES_MAX(a, b)   ((a) > (b) ? (a) : (b))
#define HABIT_SIZES_TRIANGLE(n) ((n) * ((n) + 1u) / 2u)

/* Samples of the transform, at least 32. */
#define HABIT_SIZES_ROOM(n) \
    ((n) <= 32     ? 32u    \
     : (n) <= 64   ? 64u    \
     : (n) <= 128  ? 128u   \
     : (n) <= 256  ? 256u   \
     : (n) <= 512  ? 512u   \
     : (n) <= 1024 ? 1024u  \
     : (n) <= 2048 ? 2048u  \
                   : 4096u)

#define HABIT_SIZES_BANDS(n, profile)                                 \
    ((n) < 8                                                     ? 0u \
     : (n) == 8 || (int)(profile) == (int)HABIT_PROFILE_SMALL    ? 4u \
     : (n) <= 16 || (int)(profile) == (int)HABIT_PROFILE_DEFAULT ? 8u \
                                                                 : 16u)

/* Points of a view. */
#define HABIT_SIZES_MODES(profile) \
    ((int)(profile) == (int)HABIT_PROFILE_SMALL ? 2u : (int)(profile) == (int)HABIT_PROFILE_DEFAULT ? 4u : 8u)
#define HABIT_SIZES_PROTOTYPES(profile) ((int)(profile) == (int)HABIT_PROFILE_SMALL ? 6u : 12u)

/* Features of an axis. */
#define HABIT_SIZES_SPECTRUM(n, profile) ((n) >= 8 ? HABIT_SIZES_BANDS(n, profile) + 5u : (n) > 1 ? 1u : 0u)
#define HABIT_SIZES_WAVEFORM(n, profile) \
    ((n) <= 1 || (int)(profile) == (int)HABIT_PROFILE_SMALL ? 0u : (n) < 8 ? 0u + (n) : 8u)
#define HABIT_SIZES_COUPLED(n, axes, profile) \
    ((axes) < 2 ? 0u : (n) >= 8 ? HABIT_SIZES_BANDS(n, profile) : (n) > 1 ? 1u : 0u)

#define HABIT_SIZES_VECTOR(n, axes, profile) \
    ((axes) * (2u + HABIT_SIZES_SPECTRUM(n, profile) + HABIT_SIZES_WAVEFORM(n, profile)))
#define HABIT_SIZES_WIDEST(n, axes, profile) \
    ((axes)*HABIT_SIZES_MAX(HABIT_SIZES_MAX(HABIT_SIZES_SPECTRUM(n, profile), HABIT_SIZES_WAVEFORM(n, profile)), 1u))

/* Header, ledger, rms, baseline. */
#define HABIT_SIZES_FIXED(n, axes, profile) (32u + 31u + (axes) + 2u * (axes) * (HABIT_SIZES_SPECTRUM(n, profile) + 1u))

#define HABIT_SIZES_MODELS(n, axes, profile)                                                         \
    (HABIT_SIZES_MODEL(axes, HABIT_SIZES_SPECTRUM(n, profile), 3u, HABIT_SIZES_MODES(profile), 5u) + \
     HABIT_SIZES_COUPLING(axes, HABIT_SIZES_COUPLED(n, axes, profile)) +                             \
     HABIT_SIZES_MODEL(1u, (axes), 6u + 3u * (axes), HABIT_SIZES_PROTOTYPES(profile), 3u) +          \
     HABIT_SIZES_MODEL(axes, HABIT_SIZES_WAVEFORM(n, profile), 4u, 2u, 0u))

/* Counters of a model, then its points, each with `more` beside its features, and the scatter. */
#define HABIT_SIZES_MODEL(blocks, part, counters, points, more) \
    ((part) == 0 ? 0u : (counters) + (points) * ((more) + (blocks) * (part)) + (blocks)*HABIT_SIZES_TRIANGLE(part))
#define HABIT_SIZES_COUPLING(axes, coupled) ((coupled) == 0 ? 0u : 1u + (coupled)*HABIT_SIZES_TRIANGLE(axes))
#define HABIT_SIZES_VIEW(blocks, part, points) \
    ((part) == 0 ? 0u : (blocks) * (part) + (blocks)*HABIT_SIZES_TRIANGLE(part) + (points) + 1u)

#define HABIT_SIZES_JUDGING(n, axes, profile) \
    (3u * HABIT_SIZES_MAX(HABIT_SIZES_MAX(HABIT_SIZES_SPECTRUM(n, profile), HABIT_SIZES_WAVEFORM(n, profile)), (axes)))
#define HABIT_SIZES_WORK(n, axes, profile) \
    HABIT_SIZES_MAX(HABIT_SIZES_ROOM(n) + 4u * (((n) + 7u) / 8u), HABIT_SIZES_JUDGING(n, axes, profile))

#endif
