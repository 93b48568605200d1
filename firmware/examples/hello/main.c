/* Hello World, as the NanoEdge AI Library documentation has it: initialise, learn 100 buffers, then detect for ever. Nothing
 * here is habit's own but the library behind NanoEdgeAI.h.
 *
 * The machine is simulated: its bearing breaks after 140 buffers. */
#include "NanoEdgeAI.h"

#include "../board/console.h"
#include "../board/machine.h"

enum { LEARNING_ITERATIONS = 100, HEALTHY_BUFFERS = 140, ALL_BUFFERS = 160, THRESHOLD = 90 };

static float data_buffer[BUFFER_SIZE * NB_AXES];

/* Yours: waits for the sensor and converts what it gives. False when the machine was taken away. */
static bool get_buffer(float sample_buffer[])
{
    static struct machine machine = { .seed = 1 };
    static int16_t raw[BUFFER_SIZE * NB_AXES];
    static int count;

    machine.faulty = count >= HEALTHY_BUFFERS;
    machine_read(&machine, raw, BUFFER_SIZE, NB_AXES);
    for (int i = 0; i < BUFFER_SIZE * NB_AXES; i++)
        sample_buffer[i] = (float)raw[i] * MACHINE_SCALE;
    return count++ < ALL_BUFFERS;
}

static void show(uint8_t similarity)
{
    console_put("similarity ");
    console_put_number(similarity);
    console_put(!NEAI_IS_SCORE(similarity) ? " is an error\n" : similarity < THRESHOLD ? " ANOMALY\n" : "\n");
}

int main(void)
{
    console_start();
    if (NanoEdgeAI_initialize() != 0) {
        console_put("this board is not authorised\n");
        return 1;
    }
    for (int iteration = 0; iteration < LEARNING_ITERATIONS; iteration++) {
        get_buffer(data_buffer);
        if (NanoEdgeAI_learn(data_buffer) != 1)
            console_put("not learned\n");
    }
    /* NanoEdgeAI_set_sensitivity(1.1f); */
    while (get_buffer(data_buffer))
        show(NanoEdgeAI_detect(data_buffer));
    return 0;
}
