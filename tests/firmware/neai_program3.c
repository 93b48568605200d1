/* A program as the headers of Studio 3.x to 5.0 describe it: learn until the recommended minimum is done, detect; then start
 * from knowledge that is handed over as an array. It knows nothing of habit but the header. */
#include "NanoEdgeAI.h"

#include "neai_machine.h"
#include "neai_program.h"

static float buffer[AXIS_NUMBER * DATA_INPUT_USER];

static void learn(void)
{
    enum neai_state state = NEAI_NOT_ENOUGH_CALL_TO_LEARNING;
    int learned = 0;

    while (state == NEAI_NOT_ENOUGH_CALL_TO_LEARNING) {
        machine_fill(buffer, DATA_INPUT_USER, AXIS_NUMBER, false);
        state = neai_anomalydetection_learn(buffer);
        learned++;
    }
    EXPECT(state == NEAI_MINIMAL_RECOMMENDED_LEARNING_DONE);
    EXPECT(learned == MINIMUM_ITERATION_CALLS_FOR_EFFICIENT_LEARNING);
}

static int anomalies(bool faulty)
{
    int below = 0;

    for (int i = 0; i < 10; i++) {
        uint8_t similarity = 0;

        machine_fill(buffer, DATA_INPUT_USER, AXIS_NUMBER, faulty);
        EXPECT(neai_anomalydetection_detect(buffer, &similarity) == NEAI_OK);
        EXPECT(similarity <= 100);
        below += similarity < 90;
    }
    return below;
}

int main(void)
{
    static const float foreign[51] = { 1.0f, -0.25f };
    uint8_t similarity = 77;

    machine_fill(buffer, DATA_INPUT_USER, AXIS_NUMBER, false);
    EXPECT(neai_anomalydetection_learn(buffer) == NEAI_INIT_FCT_NOT_CALLED);
    EXPECT(neai_anomalydetection_detect(buffer, &similarity) == NEAI_INIT_FCT_NOT_CALLED);
    EXPECT(neai_anomalydetection_init() == NEAI_OK);
    EXPECT(neai_anomalydetection_detect(buffer, &similarity) == NEAI_NOT_ENOUGH_CALL_TO_LEARNING);
    EXPECT(neai_anomalydetection_knowledge(foreign) == NEAI_KNOWLEDGE_BUFFER_ERROR);
    learn();
    EXPECT(anomalies(false) <= 1);
    EXPECT(anomalies(true) == 10);
    EXPECT(neai_anomalydetection_set_sensitivity(1.5f) == NEAI_OK);
    EXPECT(neai_anomalydetection_get_sensitivity() == 1.5f);
    board_put("generation 3 runs\n");
    return 0;
}
