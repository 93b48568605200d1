/* What happens without a buffer: counters and windows reach the store. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "registry/commissioning.h"
#include "registry/internal.h"

/* ------------------------------------------------------------------------------------------------------------ flush */

/* What one machine handed to the store and is not yet known to be there. */
struct flushing {
    struct machine *machine; /* referenced */
    struct store_op *op;
    struct hour hour[HOURS_PENDING];
    size_t hour_count;
};

struct flush {
    struct registry *registry;
    int64_t at;
    struct flushing *list;
    size_t count, room, all;
    int result; /* of the first that the store did not take */
};

enum { FLUSH_PORTION = 1024 }; /* leaves room in the store's queue for those who wait for an answer */

/* Buffers that came since the anomaly was raised: more of them make accepting it better. */
static void add_evidence(struct machine *machine, struct store_change *change, struct store_buffer **evidence)
{
    if (machine->state.anomaly == 0 || machine->open.id != machine->state.anomaly || machine->suspects.count == 0)
        return;
    suspects_take(machine, evidence, &change->evidence_count); /* without memory: there are fewer */
    change->evidence = *evidence;
}

static void submit_flush(struct flush *flush, struct machine *machine, bool current)
{
    struct flushing *flushing = &flush->list[flush->count];
    struct store_buffer *evidence = NULL;
    struct store_change change;

    if (current) {
        change = machine_change(machine, flush->at);
        change.marks = machine->marks.mark;
        change.mark_count = machine->marks.count;
        add_evidence(machine, &change, &evidence);
    } else { /* memory is of another epoch, and is loaded anew with the next buffer; what was counted was counted */
        change = (struct store_change){ .machine = machine->row,
                                        .epoch = store_epoch(flush->registry->store, machine->row),
                                        .at = flush->at };
    }
    change.hours = machine->hour;
    change.hour_count = machine->hour_count;
    flushing->op = NULL;
    flush->result = store_submit(flush->registry->store, &change, &flushing->op);
    for (size_t i = 0; i < change.evidence_count; i++)
        buffer_free(&evidence[i]);
    free(evidence);
    if (flush->result < 0)
        return;
    flushing->machine = machine;
    machine->references++;
    memcpy(flushing->hour, machine->hour, sizeof(flushing->hour));
    flushing->hour_count = machine->hour_count;
    machine->hour_count = 0;
    machine->unsaved = machine->unsaved && !current;
    flush->count++;
}

static void flush_each(void *user, struct machine *machine)
{
    struct flush *flush = user;
    bool current = machine_is_current(flush->registry, machine);

    if (((machine->unsaved && current) || machine->hour_count > 0) && flush->result == 0 && flush->count < flush->room)
        submit_flush(flush, machine, current);
}

/* The counters of a flush that failed wait for the next one. */
static void take_up_again(struct registry *registry, const struct flushing *flushing, int r)
{
    struct machine *machine = flushing->machine;

    pthread_mutex_lock(&machine->lock);
    for (size_t i = 0; i < flushing->hour_count; i++)
        hour_add(machine_hour(machine, registry->store, flushing->hour[i].start), &flushing->hour[i]);
    machine->unsaved = true;
    machine_note_store(registry, machine, r);
    pthread_mutex_unlock(&machine->lock);
}

/* One portion: those that have news, waited for. Returns 0 or the first failure; *full tells whether there may be more. Machines
 * that a damaged file keeps out are no reason for the others to wait. */
static int flush_portion(struct flush *flush, bool *full)
{
    int result = registry_each(flush->registry, flush_each, flush);
    size_t taken = 0;

    for (size_t i = 0; i < flush->count; i++) {
        int r = store_finish(flush->registry->store, flush->list[i].op);

        taken += r == 0;
        if (r < 0)
            take_up_again(flush->registry, &flush->list[i], r);
        if (r < 0 && r != -EUCLEAN)
            result = r;
        machine_release(flush->list[i].machine);
    }
    *full = flush->count == flush->room && taken > 0;
    flush->all += flush->count;
    flush->count = 0;
    return result < 0 ? result : flush->result;
}

int registry_flush(struct registry *registry, struct moment now)
{
    struct flush flush = { .registry = registry, .at = now.wall, .room = FLUSH_PORTION };
    bool full = true;
    int r = 0;

    flush.list = calloc(flush.room, sizeof(*flush.list));
    if (!flush.list)
        return fault(-ENOMEM);
    pthread_mutex_lock(&registry->flushing);
    while (r == 0 && full)
        r = flush_portion(&flush, &full);
    registry->flushed = flush.all;
    pthread_mutex_unlock(&registry->flushing);
    free(flush.list);
    return r;
}

size_t registry_flushed(const struct registry *registry)
{
    return registry->flushed;
}
