/* After a reset: the program finds a backup and copies it into section .neai before it calls anything of the interface. The
 * backup is another engine's, of the same machine. */
#include <string.h>

#include "habit/neai.h"

#include "neai_machine.h"
#include "neai_program.h"

enum { VALUES = BUFFER_SIZE * NB_AXES, WORDS = 4096 };

extern uint8_t neai_start[]; /* of the section, from the linker script */

static float buffer[VALUES];
static uint32_t backup[HABIT_NEAI_SIZE / 4], cache[WORDS], scratch[WORDS];
static struct habit_engine elsewhere;

static void learn_elsewhere(void)
{
    const struct habit_config config = { .buffer_size = BUFFER_SIZE,
                                         .axes = NB_AXES,
                                         .profile = NEAI_PROFILE,
                                         .sampling_hz = NEAI_SAMPLING_HZ,
                                         .scale = NEAI_SCALE,
                                         .unit = NEAI_UNIT };
    const struct habit_memory memory = { backup, sizeof(backup), cache, sizeof(cache), scratch, sizeof(scratch) };

    EXPECT(habit_init(&elsewhere, &config, &memory) == HABIT_OK);
    for (int i = 0; i < 30; i++) {
        machine_fill(buffer, BUFFER_SIZE, NB_AXES, false);
        EXPECT(habit_learn(&elsewhere, buffer, VALUES, NULL) == HABIT_OK);
    }
    EXPECT(habit_seal(&elsewhere) == HABIT_OK);
}

static void expect_the_same_answer(bool faulty)
{
    struct habit_result result;

    machine_fill(buffer, BUFFER_SIZE, NB_AXES, faulty);
    EXPECT(habit_detect(&elsewhere, buffer, VALUES, &result) == HABIT_OK);
    EXPECT(NanoEdgeAI_detect(buffer) == result.similarity);
    EXPECT(habit_neai_result()->distance == result.distance);
}

int main(void)
{
    machine_fill(buffer, BUFFER_SIZE, NB_AXES, false);
    EXPECT(NanoEdgeAI_detect(buffer) == 124);
    learn_elsewhere();
    memcpy(neai_start, backup, sizeof(backup));
    expect_the_same_answer(false);
    expect_the_same_answer(true);
    EXPECT(NanoEdgeAI_learn(buffer) == 1);
    EXPECT(NanoEdgeAI_initialize() == 0);
    EXPECT(NanoEdgeAI_detect(buffer) == 124);
    board_put("restored\n");
    return 0;
}
