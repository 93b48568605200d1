/* Named numbers that come beside buffers: the latest value of each, in memory only; what rules make of them is stored. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "registry/internal.h"

static struct named_number *context_find(struct machine *machine, const char *name)
{
    for (uint32_t i = 0; i < machine->context_count; i++)
        if (strcmp(machine->context[i].name, name) == 0)
            return &machine->context[i];
    return NULL;
}

int context_check(struct machine *machine, const struct wire_meta *meta, struct refusal *refusal)
{
    uint32_t count = machine->context_count;

    for (uint32_t i = 0; i < meta->context_count; i++) {
        count += !context_find(machine, meta->context[i].name);
        if (count > LIMIT_CONTEXT)
            return refuse_limit(refusal, REFUSAL_LIMIT, meta->context[i].name, LIMIT_CONTEXT,
                                "a machine has at most %d named numbers", LIMIT_CONTEXT);
    }
    if (meta->context_count > 0 && !machine->context)
        machine->context = calloc(LIMIT_CONTEXT, sizeof(*machine->context));
    return meta->context_count > 0 && !machine->context ? refuse_fault(refusal, fault(-ENOMEM)) : 0;
}

void context_take(struct machine *machine, const struct wire_meta *meta, int64_t steady)
{
    for (uint32_t i = 0; i < meta->context_count; i++) {
        struct named_number *slot = context_find(machine, meta->context[i].name);

        slot = slot ? slot : &machine->context[machine->context_count++];
        *slot = meta->context[i];
        slot->at = steady;
        machine->news = true;
    }
}

/* Numbers that come without a buffer: rules begin to wait with them, not with the next buffer. */
static void take_alone(struct machine *machine, const struct wire_meta *context, int64_t steady)
{
    struct sight sight = { .at = steady };

    machine_join_time(machine, steady);
    context_take(machine, context, steady);
    sight.context = machine->context;
    sight.context_count = machine->context_count;
    rules_see(&machine->settings, &machine->state, &sight);
    machine->unsaved = true;
}

int registry_context(struct registry *registry, const char *id, const struct wire_meta *context, struct moment now,
                     struct refusal *refusal)
{
    struct machine *machine;
    int r = machine_enter(registry, id, &machine, refusal);

    if (r == 0) {
        r = context_check(machine, context, refusal);
        if (r == 0)
            take_alone(machine, context, registry_steady(registry, now));
        machine_leave(machine);
    }
    if (r > 0)
        registry->refusals[r]++;
    return r;
}
