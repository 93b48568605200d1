/* Studio 5.1 and later: small numbers, pretrained knowledge by a flag, and questions about the build. */
#include "door.h"

#if NEAI_GENERATION == 51

static const uint8_t states[HABIT_NEAI_CAUSES] = {
    [HABIT_NEAI_DONE] = NEAI_OK,
    [HABIT_NEAI_BOARD] = NEAI_ERROR,
    [HABIT_NEAI_UNINITIALISED] = NEAI_NOT_INITIALIZED,
    [HABIT_NEAI_KNOWLEDGE] = NEAI_ERROR,
    [HABIT_NEAI_LEARNING] = NEAI_LEARNING_IN_PROGRESS,
    [HABIT_NEAI_INPUT] = NEAI_INVALID_PARAM,
    [HABIT_NEAI_NOTHING] = NEAI_NOT_SUPPORTED,
};

static enum neai_state state_of(enum habit_neai_cause cause)
{
    return (enum neai_state)states[cause];
}

static enum habit_neai_cause start_pretrained(void)
{
    const void *pretrained = habit_neai_pretrained();

    return pretrained ? habit_neai_load(pretrained, HABIT_NEAI_SIZE) : habit_neai_because(HABIT_NEAI_NOTHING);
}

enum neai_state neai_anomalydetection_init(bool use_pretrained)
{
    return state_of(use_pretrained ? start_pretrained() : habit_neai_start());
}

enum neai_state neai_anomalydetection_learn(float *in)
{
    bool minimum;
    const enum habit_neai_cause cause = habit_neai_learn(in, &minimum);

    if (cause != HABIT_NEAI_DONE)
        return state_of(cause);
    return minimum ? NEAI_LEARNING_DONE : NEAI_LEARNING_IN_PROGRESS;
}

enum neai_state neai_anomalydetection_detect(float *in, uint8_t *similarity)
{
    return state_of(habit_neai_detect(in, similarity));
}

char *neai_get_id(void)
{
    static char id[] = NEAI_ID;

    return id;
}

int neai_get_input_signal_size(void)
{
    return BUFFER_SIZE;
}

int neai_get_axis_number(void)
{
    return NB_AXES;
}

#endif
