/* A program as the documentation of Studio 2.x describes it: initialise, learn 100 buffers, set the sensitivity, detect; and
 * knowledge that is copied out of section .neai, lost, and copied back. It knows nothing of habit but the header. */
#include <string.h>

#include "NanoEdgeAI.h"

#include "neai_machine.h"
#include "neai_program.h"

#define LEARNING_ITERATIONS 100
#define THRESHOLD           90

float data_buffer[BUFFER_SIZE * NB_AXES];

#if defined(NEAI_SECTION_SIZE)
/* The section, from the linker script; its size from `size -A`, as the documentation says; the copy is this board's flash. */
extern uint8_t neai_start[];
static uint8_t backup[NEAI_SECTION_SIZE];
#endif

static void get_buffer(float sample_buffer[], bool faulty)
{
    machine_fill(sample_buffer, BUFFER_SIZE, NB_AXES, faulty);
}

static void learn(void)
{
    for (int iteration = 0; iteration < LEARNING_ITERATIONS; iteration++) {
        get_buffer(data_buffer, false);
        EXPECT(NanoEdgeAI_learn(data_buffer) == 1);
    }
}

/* Of ten buffers how many are below the threshold. */
static int anomalies(bool faulty)
{
    int below = 0;

    for (int i = 0; i < 10; i++) {
        uint8_t similarity;

        get_buffer(data_buffer, faulty);
        similarity = NanoEdgeAI_detect(data_buffer);
        EXPECT(NEAI_IS_SCORE(similarity));
        below += similarity < THRESHOLD;
    }
    return below;
}

static void sensitivity(void)
{
    uint8_t at_one;

    EXPECT(NanoEdgeAI_get_sensitivity() == 1.0f);
    get_buffer(data_buffer, false);
    at_one = NanoEdgeAI_detect(data_buffer);
    NanoEdgeAI_set_sensitivity(2.0f);
    EXPECT(NanoEdgeAI_get_sensitivity() == 2.0f);
    EXPECT(NanoEdgeAI_detect(data_buffer) <= at_one);
    NanoEdgeAI_set_sensitivity(0.5f);
    EXPECT(NanoEdgeAI_detect(data_buffer) >= at_one);
    NanoEdgeAI_set_sensitivity(1.0f);
    EXPECT(NanoEdgeAI_detect(data_buffer) == at_one);
}

#if defined(NEAI_SECTION_SIZE)
static void back_up_and_restore(void)
{
    uint8_t before, nothing;

    get_buffer(data_buffer, true);
    before = NanoEdgeAI_detect(data_buffer);
    memcpy(backup, neai_start, sizeof(backup)); /* dump */
    EXPECT(NanoEdgeAI_initialize() == 0);
    nothing = NanoEdgeAI_detect(data_buffer);
    EXPECT(!NEAI_IS_SCORE(nothing));
    memcpy(neai_start, backup, sizeof(backup)); /* load */
    EXPECT(NanoEdgeAI_detect(data_buffer) == before);
    EXPECT(NanoEdgeAI_learn(data_buffer) == 1);
}
#endif

int main(void)
{
    uint8_t error_code = NanoEdgeAI_initialize();

    EXPECT(error_code == 0);
    EXPECT(NanoEdgeAI_get_status() == 0);
    learn();
    EXPECT(anomalies(false) <= 1);
    EXPECT(anomalies(true) == 10);
    sensitivity();
#if defined(NEAI_SECTION_SIZE)
    back_up_and_restore();
#endif
    board_put("generation 2 runs\n");
    return 0;
}
