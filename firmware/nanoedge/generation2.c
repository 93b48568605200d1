/* Studio 2.x: one byte is the score or an error. */
#include "door.h"

#if NEAI_GENERATION == 2

enum { LEARNED = 1, NOT_LEARNED = 0 };
enum { READY = 0, NOT_AUTHORISED = 123, NOT_READY = 124, BAD_INPUT = 125 };

static const uint8_t error_codes[HABIT_NEAI_CAUSES] = {
    [HABIT_NEAI_DONE] = READY,          [HABIT_NEAI_BOARD] = NOT_AUTHORISED, [HABIT_NEAI_UNINITIALISED] = NOT_READY,
    [HABIT_NEAI_KNOWLEDGE] = NOT_READY, [HABIT_NEAI_LEARNING] = NOT_READY,   [HABIT_NEAI_INPUT] = BAD_INPUT,
};

uint8_t NanoEdgeAI_initialize(void)
{
    return error_codes[habit_neai_start()];
}

/* Never an error's number: code that only asks whether it is 0 reads it right. */
uint8_t NanoEdgeAI_learn(float data_input[])
{
    bool minimum;

    return habit_neai_learn(data_input, &minimum) == HABIT_NEAI_DONE ? LEARNED : NOT_LEARNED;
}

uint8_t NanoEdgeAI_detect(float data_input[])
{
    uint8_t similarity;
    const enum habit_neai_cause cause = habit_neai_detect(data_input, &similarity);

    if (cause == HABIT_NEAI_DONE || NEAI_ERRORS_AS_ZERO)
        return similarity;
    return error_codes[cause];
}

void NanoEdgeAI_set_sensitivity(float sensitivity)
{
    (void)habit_neai_set_sensitivity(sensitivity);
}

float NanoEdgeAI_get_sensitivity(void)
{
    return habit_neai_get_sensitivity();
}

uint8_t NanoEdgeAI_get_status(void)
{
    return habit_neai_authorised() ? READY : NOT_AUTHORISED;
}

#endif
