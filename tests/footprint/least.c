/* What a firmware needs at least: its size is the library's price in flash, whatever the geometry. */
#include "habit/engine.h"

static uint32_t knowledge[1024], cache[1024], scratch[1024];
static struct habit_engine engine;
static struct habit_result result;
static float buffer[256 * 3];

int main(void)
{
    const struct habit_config config = { .buffer_size = 256, .axes = 3, .profile = HABIT_PROFILE_DEFAULT };
    const struct habit_memory memory = { knowledge, sizeof(knowledge), cache, sizeof(cache), scratch, sizeof(scratch) };

    return habit_init(&engine, &config, &memory) | habit_learn(&engine, buffer, 256 * 3, NULL) |
           habit_detect(&engine, buffer, 256 * 3, &result) | habit_seal(&engine) |
           habit_load(&engine, buffer, sizeof(knowledge));
}
