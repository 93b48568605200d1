#include "layout.h"

#include "block.h"
#include "knowledge.h"

#define COUNT(array) ((uint32_t)(sizeof(array) / sizeof((array)[0])))

/* More memory does not detect better; it buys finer bands to read, and more states of the machine. */
static const struct profile {
    uint32_t bands, modes, prototypes, accepted_levels;
    bool waveform;
} profiles[HABIT_PROFILES] = {
    [HABIT_PROFILE_SMALL] = { .bands = 4, .modes = 1, .prototypes = 4, .accepted_levels = 2, .waveform = false },
    [HABIT_PROFILE_DEFAULT] = { .bands = 8, .modes = 4, .prototypes = 8, .accepted_levels = 4, .waveform = true },
    [HABIT_PROFILE_LARGE] = { .bands = 16, .modes = 8, .prototypes = 8, .accepted_levels = 4, .waveform = true },
};

static uint32_t smaller(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

static uint32_t larger(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

static uint32_t power_of_two_from(uint32_t n)
{
    uint32_t power = 1;

    while (power < n)
        power *= 2;
    return power;
}

static struct habit_shape shape(uint32_t part, uint32_t blocks, uint32_t ordinary, uint32_t accepted)
{
    return (struct habit_shape){ .dimension = part * blocks,
                                 .part = part,
                                 .blocks = blocks,
                                 .points = ordinary + accepted,
                                 .ordinary = ordinary,
                                 .accepted = accepted };
}

/* A mode is large. So accepted states take the place of learned ones, which merge, as long as one is left; there is room for
 * one beside a single mode. */
static struct habit_shape shape_of_modes(uint32_t part, uint32_t blocks, uint32_t modes)
{
    struct habit_shape made = shape(part, blocks, modes, 0);

    made.points = larger(modes, 2);
    made.accepted = made.points - 1;
    return made;
}

/* One sample has a level only; fewer than eight have an rms but no spectrum worth the name. */
static void make_views(struct habit_layout *layout, const struct profile *profile)
{
    const uint32_t n = layout->samples, axes = layout->axes;
    const uint32_t spectrum = n >= 8 ? layout->bands + HABIT_SHAPES : (n > 1 ? 1 : 0);
    const uint32_t waveform = n > 1 && profile->waveform ? smaller(n, HABIT_SEGMENTS) : 0;

    layout->view[HABIT_SPECTRUM] = shape_of_modes(spectrum, axes, profile->modes);
    if (axes > 1)
        layout->view[HABIT_SPECTRUM].coupled = layout->bands > 0 ? layout->bands : spectrum;
    layout->view[HABIT_LEVEL] = shape(axes, 1, profile->prototypes, profile->accepted_levels);
    layout->view[HABIT_WAVEFORM] = shape(waveform, axes, 1, 1);
    layout->vector = axes;
    for (uint32_t v = 0; v < HABIT_VIEWS; v++)
        layout->vector += layout->view[v].dimension;
}

/* Where the next words lie; the largest of all layouts has some thousands. */
static uint16_t place(uint32_t *at, uint32_t words)
{
    const uint32_t here = *at;

    *at += words;
    return (uint16_t)here;
}

/* The first buffers but one are kept as feature vectors where the models will be: there are no models yet. */
static void make_knowledge(struct habit_layout *layout)
{
    uint32_t at = HABIT_HEADER_SIZE / 4 + HABIT_LEDGER_WORDS;

    layout->rms = place(&at, layout->axes);
    layout->baseline = place(&at, 2 * (layout->view[HABIT_SPECTRUM].dimension + layout->axes));
    layout->kept = (uint16_t)at;
    for (uint32_t v = 0; v < HABIT_VIEWS; v++)
        layout->model[v] = place(&at, habit_model_words((enum habit_view_index)v, &layout->view[v]));
    layout->knowledge = (uint16_t)larger(at, layout->kept + (HABIT_START - 1) * layout->vector);
}

static void make_cache(struct habit_layout *layout)
{
    uint32_t at = 0;

    for (uint32_t v = 0; v < HABIT_VIEWS; v++)
        layout->prepared[v] = place(&at, habit_view_words(&layout->view[v]));
    layout->cache = (uint16_t)at;
}

/* What judging needs: one point, or one feature of all axes; what explaining does: three of a point. */
static uint32_t judging_room(const struct habit_layout *layout)
{
    uint32_t room = layout->axes;

    for (uint32_t v = 0; v < HABIT_VIEWS; v++)
        room = larger(room, 3 * layout->view[v].part);
    return room;
}

/* Work area: the samples of one axis and half a window, or what judging needs, and behind it sums of vectors; or the kept
 * vectors, behind the one in hand, while they are compared. */
static void make_scratch(struct habit_layout *layout)
{
    const uint32_t axis = habit_layout_room(layout) + 4 * ((layout->samples + 7) / 8);
    const uint32_t room = larger(axis, judging_room(layout));
    uint32_t widest = 0, at = 0;

    for (uint32_t v = 0; v < HABIT_VIEWS; v++)
        widest = larger(widest, layout->view[v].dimension);
    layout->whitened = place(&at, widest);
    layout->features = place(&at, layout->vector);
    layout->work = (uint16_t)at;
    layout->total = (uint16_t)(at + room);
    layout->scratch = (uint16_t)(at + larger(room + layout->vector, (HABIT_START - 1) * layout->vector));
}

bool habit_layout_make(struct habit_layout *layout, const struct habit_config *config)
{
    const struct profile *profile;

    if (!habit_config_valid(config))
        return false;
    profile = &profiles[config->profile];
    layout->samples = config->buffer_size;
    layout->axes = config->axes;
    layout->transform = config->buffer_size >= 8 ? power_of_two_from(config->buffer_size) : 0;
    layout->bands = smaller(profile->bands, layout->transform / 2);
    make_views(layout, profile);
    make_knowledge(layout);
    make_cache(layout);
    make_scratch(layout);
    return true;
}
