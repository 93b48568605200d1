/* Troubles become events: each beginning and end is stored and told once, together with the note that it was told. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "registry/internal.h"
#include "wire/document.h"

enum { PORTION = 256 };

/* IDs of machines that have something to tell. */
struct telling {
    struct registry *registry;
    int64_t steady;
    char (*ids)[MACHINE_ID_SIZE];
    size_t count;
};

static uint32_t now_present(struct registry *registry, const struct machine *machine, int64_t steady)
{
    return troubles_now(&machine->settings, &machine->state, registry->began, steady);
}

static void find_each(void *user, struct machine *machine)
{
    struct telling *telling = user;

    if (telling->count < PORTION && !machine->mute && /* who works on it knows */
        now_present(telling->registry, machine, telling->steady) != machine->state.memory.told)
        memcpy(telling->ids[telling->count++], machine->id, MACHINE_ID_SIZE);
}

/* One message per trouble that began or ended. Returns how many, or -ENOMEM. */
static int write_messages(const struct machine *machine, uint32_t present, int64_t at, const char *topic,
                          struct store_outgoing messages[TROUBLES_COUNT])
{
    uint32_t changed = present ^ machine->state.memory.told;
    int count = 0;

    for (int trouble = 0; trouble < TROUBLES_COUNT; trouble++) {
        bool began = (present & 1u << trouble) != 0;
        char *payload;

        if ((changed & 1u << trouble) == 0)
            continue;
        payload = wire_trouble(machine->id, machine->settings.asset, (enum trouble)trouble, began, at);
        messages[count++] = (struct store_outgoing){ .topic = topic, .payload = payload };
        if (!payload)
            return fault(-ENOMEM);
    }
    return count;
}

/* Tells what is new of one machine; *receipt is to be settled then. Returns 0 or a refusal. */
static int tell(struct registry *registry, const char *id, struct moment now, struct receipt *receipt)
{
    struct store_outgoing messages[TROUBLES_COUNT] = { 0 };
    char topic[MACHINE_ID_SIZE + 16];
    struct refusal refusal;
    struct store_change change;
    struct machine *machine;
    uint32_t present;
    int r = machine_enter(registry, id, &machine, &refusal), count;

    if (r != 0)
        return r;
    present = now_present(registry, machine, registry_steady(registry, now));
    snprintf(topic, sizeof(topic), "%s/event", id);
    count = write_messages(machine, present, now.wall, topic, messages);
    if (count > 0) {
        machine->state.memory.told = present;
        change = machine_change(machine, now.wall);
        change.outgoing = messages;
        change.outgoing_count = (size_t)count;
        r = machine_commit(registry, machine, &change, receipt, &refusal);
    } else {
        machine_leave(machine);
        r = count < 0 ? refuse_fault(&refusal, count) : REFUSAL_NOT_FOUND;
    }
    for (size_t i = 0; i < TROUBLES_COUNT; i++)
        free((char *)messages[i].payload);
    return r;
}

/* One portion in one commit. Returns whether there may be more. */
static bool tell_portion(struct telling *telling, struct moment now, struct receipt *receipts)
{
    size_t told = 0;
    bool settled = true;

    telling->count = 0;
    registry_each(telling->registry, find_each, telling);
    for (size_t i = 0; i < telling->count; i++) {
        receipts[told] = (struct receipt){ 0 };
        told += tell(telling->registry, telling->ids[i], now, &receipts[told]) == 0;
    }
    for (size_t i = 0; i < told; i++)
        settled = registry_settle(telling->registry, &receipts[i], NULL) == 0 && settled;
    return told == PORTION && settled;
}

int registry_watch(struct registry *registry, struct moment now)
{
    struct telling telling = { .registry = registry, .steady = registry_steady(registry, now) };
    struct receipt *receipts = calloc(PORTION, sizeof(*receipts));
    bool more, enough;

    telling.ids = calloc(PORTION, sizeof(*telling.ids));
    enough = telling.ids && receipts;
    do
        more = enough && tell_portion(&telling, now, receipts);
    while (more);
    free(receipts);
    free(telling.ids);
    return enough ? 0 : fault(-ENOMEM);
}
