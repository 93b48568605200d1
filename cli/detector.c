#include "detector.h"

#include <stdlib.h>

#include "message.h"
#include "options.h"

static void *take(size_t size, size_t *ret_size)
{
    *ret_size = size;
    return calloc(1, size);
}

int detector_init(struct detector *detector, const struct habit_config *config)
{
    struct habit_memory *memory = &detector->memory;
    int r;

    if (habit_knowledge_size(config) == 0) {
        complain("%s", habit_text(HABIT_ECONFIG));
        return EXIT_USAGE;
    }
    memory->knowledge = take(habit_knowledge_size(config), &memory->knowledge_size);
    memory->cache = take(habit_cache_size(config), &memory->cache_size);
    memory->scratch = take(habit_scratch_size(config), &memory->scratch_size);
    if (!memory->knowledge || !memory->cache || !memory->scratch)
        return complain_errno("hold", "an engine");
    r = habit_init(&detector->engine, config, memory);
    if (r == HABIT_OK)
        return 0;
    complain("the engine cannot start: %s", habit_text(r));
    return EXIT_FAILED;
}

void detector_deinit(struct detector *detector)
{
    free(detector->memory.knowledge);
    free(detector->memory.cache);
    free(detector->memory.scratch);
}
