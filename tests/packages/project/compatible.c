/* A program for the NanoEdge interface, compiled from the installed sources. Ends with 0 where learning is answered. */
#include "NanoEdgeAI.h"

static float buffer[BUFFER_SIZE * NB_AXES];

int main(void)
{
    uint32_t seed = 1;

    if (NanoEdgeAI_initialize() != 0)
        return 1;
    for (int i = 0; i < BUFFER_SIZE * NB_AXES; i++) {
        seed = seed * 1664525u + 1013904223u;
        buffer[i] = (float)(seed >> 16);
    }
    return NanoEdgeAI_learn(buffer) == 1 ? 0 : 2;
}
