/* Studio 3.x to 5.0: a state, and the score through a pointer. */
#include "door.h"

#if NEAI_GENERATION == 3

static const uint8_t states[HABIT_NEAI_CAUSES] = {
    [HABIT_NEAI_DONE] = NEAI_OK,
    [HABIT_NEAI_BOARD] = NEAI_BOARD_ERROR,
    [HABIT_NEAI_UNINITIALISED] = NEAI_INIT_FCT_NOT_CALLED,
    [HABIT_NEAI_KNOWLEDGE] = NEAI_KNOWLEDGE_BUFFER_ERROR,
    [HABIT_NEAI_LEARNING] = NEAI_NOT_ENOUGH_CALL_TO_LEARNING,
    [HABIT_NEAI_INPUT] = NEAI_UNKNOWN_ERROR,
};

static enum neai_state state_of(enum habit_neai_cause cause)
{
    return (enum neai_state)states[cause];
}

enum neai_state neai_anomalydetection_init(void)
{
    return state_of(habit_neai_start());
}

enum neai_state neai_anomalydetection_knowledge(const float knowledge_buffer[])
{
    return state_of(knowledge_buffer ? habit_neai_load(knowledge_buffer, HABIT_NEAI_SIZE)
                                     : habit_neai_because(HABIT_NEAI_KNOWLEDGE));
}

enum neai_state neai_anomalydetection_learn(float data_input[])
{
    bool minimum;
    const enum habit_neai_cause cause = habit_neai_learn(data_input, &minimum);

    if (cause != HABIT_NEAI_DONE)
        return state_of(cause);
    return minimum ? NEAI_MINIMAL_RECOMMENDED_LEARNING_DONE : NEAI_NOT_ENOUGH_CALL_TO_LEARNING;
}

enum neai_state neai_anomalydetection_detect(float data_input[], uint8_t *similarity)
{
    return state_of(habit_neai_detect(data_input, similarity));
}

enum neai_state neai_anomalydetection_set_sensitivity(float sensitivity)
{
    return state_of(habit_neai_set_sensitivity(sensitivity));
}

float neai_anomalydetection_get_sensitivity(void)
{
    return habit_neai_get_sensitivity();
}

#endif
