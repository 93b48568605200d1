/* A program as the headers of Studio 5.1 and 5.2 describe it: the three ways to begin. It knows nothing of habit but the header
 * and the hook that gives pretrained knowledge, which is what the program itself learned before. */
#include <string.h>

#include "habit/neai.h"

#include "neai_machine.h"
#include "neai_program.h"

static float buffer[NEAI_INPUT_AXIS_NUMBER * NEAI_INPUT_SIGNAL_LENGTH];
static uint32_t pretrained[HABIT_NEAI_SIZE / 4];
static bool trained;

const void *habit_neai_pretrained(void)
{
    return trained ? pretrained : NULL;
}

static void fill(bool faulty)
{
    machine_fill(buffer, NEAI_INPUT_SIGNAL_LENGTH, NEAI_INPUT_AXIS_NUMBER, faulty);
}

static int anomalies(bool faulty)
{
    int below = 0;

    for (int i = 0; i < 10; i++) {
        uint8_t similarity = 0;

        fill(faulty);
        EXPECT(neai_anomalydetection_detect(buffer, &similarity) == NEAI_OK);
        EXPECT(similarity <= 100);
        below += similarity < 90;
    }
    return below;
}

static void learn_from_nothing(void)
{
    uint8_t similarity = 0;
    int learned = 0;

    EXPECT(neai_anomalydetection_init(false) == NEAI_OK);
    fill(false);
    EXPECT(neai_anomalydetection_detect(buffer, &similarity) == NEAI_LEARNING_IN_PROGRESS);
    for (enum neai_state state = NEAI_LEARNING_IN_PROGRESS; state != NEAI_LEARNING_DONE; learned++) {
        fill(false);
        state = neai_anomalydetection_learn(buffer);
        EXPECT(state == NEAI_LEARNING_DONE || state == NEAI_LEARNING_IN_PROGRESS);
    }
    EXPECT(learned == MINIMUM_ITERATION_CALLS_FOR_EFFICIENT_LEARNING);
    EXPECT(anomalies(false) <= 1);
    EXPECT(anomalies(true) == 10);
}

static void start_pretrained(void)
{
    EXPECT(neai_anomalydetection_init(true) == NEAI_NOT_SUPPORTED);
    trained = habit_neai_dump(pretrained, sizeof(pretrained)) == sizeof(pretrained);
    EXPECT(trained);
    EXPECT(neai_anomalydetection_init(false) == NEAI_OK);
    EXPECT(neai_anomalydetection_init(true) == NEAI_OK);
    EXPECT(anomalies(false) <= 1);
    EXPECT(anomalies(true) == 10);
    fill(false);
    EXPECT(neai_anomalydetection_learn(buffer) == NEAI_LEARNING_DONE);
}

int main(void)
{
    fill(false);
    EXPECT(neai_anomalydetection_learn(buffer) == NEAI_NOT_INITIALIZED);
    learn_from_nothing();
    start_pretrained();
    EXPECT(strcmp(neai_get_id(), NEAI_ID) == 0);
    EXPECT(neai_get_input_signal_size() == NEAI_INPUT_SIGNAL_LENGTH);
    EXPECT(neai_get_axis_number() == NEAI_INPUT_AXIS_NUMBER);
    board_put("generation 51 runs\n");
    return 0;
}
