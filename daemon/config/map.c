#include "config/map.h"

#include <stdio.h>
#include <string.h>

static const char placeholder[] = "{machine}";

enum { AXES = sizeof(((struct config_target *)0)->channel) };

/* ---------------------------------------------------------------------------------------------------------- channels */

static bool take_number(const char **text, unsigned int *number)
{
    const char *digit = *text;

    *number = 0;
    while (*digit >= '0' && *digit <= '9' && *number < LIMIT_CHANNELS)
        *number = *number * 10 + (unsigned int)(*digit++ - '0');
    if (digit == *text || *number >= LIMIT_CHANNELS)
        return false;
    *text = digit;
    return true;
}

/* "3" or "3-5", each appended. */
static bool take_channels(const char **text, struct config_target *target)
{
    unsigned int first, last;

    if (!take_number(text, &first))
        return false;
    last = first;
    if (**text == '-') {
        ++*text;
        if (!take_number(text, &last) || last < first)
            return false;
    }
    for (unsigned int channel = first; channel <= last; channel++) {
        if (target->count == AXES)
            return false;
        target->channel[target->count++] = (uint8_t)channel;
    }
    return true;
}

/* ---------------------------------------------------------------------------------------------------------- machines */

int map_machine(const struct config_target *target, const char *machine, char id[MACHINE_ID_SIZE],
                struct refusal *refusal)
{
    const char *found = strstr(target->machine, placeholder);
    int head = (int)(found ? found - target->machine : (long)strlen(target->machine));
    int size = snprintf(id, MACHINE_ID_SIZE, "%.*s%s%s", head, target->machine, found ? machine : "",
                        found ? found + strlen(placeholder) : "");

    if (size >= MACHINE_ID_SIZE || !machine_id_valid(id, strlen(id)))
        return refuse(refusal, REFUSAL_MACHINE_ID, "topic",
                      "%.80s of the map gives no machine ID of at most %d characters here", target->machine,
                      MACHINE_ID_SIZE - 1);
    return 0;
}

/* "{machine}-drive:" */
static bool take_machine(const char **text, struct config_target *target)
{
    size_t length = strcspn(*text, ": ,");
    char id[MACHINE_ID_SIZE];

    if ((*text)[length] != ':' || length >= sizeof(target->machine))
        return false;
    memcpy(target->machine, *text, length);
    target->machine[length] = '\0';
    *text += length + 1;
    return map_machine(target, "x", id, NULL) == 0;
}

/* ------------------------------------------------------------------------------------------------------------- map */

/* One machine and its channels, up to the comma or the end. */
static bool take_target(const char **text, struct config_target *target)
{
    *text += strspn(*text, " ");
    if (!take_machine(text, target))
        return false;
    *text += strspn(*text, " ");
    do {
        if (!take_channels(text, target) || !strchr(" ,", **text)) /* strchr finds the end, too */
            return false;
        *text += strspn(*text, " ");
    } while (**text != ',' && **text != '\0');
    *text += **text == ',' && (*text)[1] != '\0';
    return true;
}

static bool is_there(const struct config_target *target, uint32_t count, const char *machine)
{
    for (uint32_t i = 0; i < count; i++)
        if (strcmp(target[i].machine, machine) == 0)
            return true;
    return false;
}

int map_read(const char *text, struct config_target *target, uint32_t *targets, struct refusal *refusal)
{
    uint32_t count = 0;

    *targets = 0;
    for (const char *rest = text; *rest != '\0'; count++) {
        if (count == LIMIT_MAPPED)
            return refuse_limit(refusal, REFUSAL_RANGE, "map", LIMIT_MAPPED, "more than %d machines", LIMIT_MAPPED);
        target[count] = (struct config_target){ 0 };
        if (!take_target(&rest, &target[count]))
            return refuse(refusal, REFUSAL_RANGE, "map",
                          "machines with their channels are wanted, the first channel is 0, at most %d of a machine: "
                          "{machine}-drive: 0-2, {machine}-fan: 3 4",
                          AXES);
        if (is_there(target, count, target[count].machine))
            return refuse(refusal, REFUSAL_RANGE, "map", "%s comes twice", target[count].machine);
    }
    *targets = count;
    return 0;
}

int check_map(const char *text, struct refusal *refusal)
{
    struct config_target target[LIMIT_MAPPED];
    uint32_t targets;

    return map_read(text, target, &targets, refusal);
}

uint32_t map_highest(const struct config_input *input)
{
    uint32_t highest = 0;

    for (uint32_t i = 0; i < input->targets; i++)
        for (uint32_t k = 0; k < input->target[i].count; k++)
            if (input->target[i].channel[k] > highest)
                highest = input->target[i].channel[k];
    return highest;
}

uint32_t map_channels(const struct config_input *input)
{
    return input->channels > 0 ? input->channels : map_highest(input) + 1;
}
