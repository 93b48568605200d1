/* Machines begin and end here: made by REST, by a pattern, or by a block; deleted with all that is stored of them. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "registry/internal.h"
#include "wire/document.h"

static int full(struct registry *registry, struct refusal *refusal)
{
    if (registry_count(registry) < registry->config->machines)
        return 0;
    return refuse_limit(refusal, REFUSAL_LIMIT, "machine", registry->config->machines,
                        "%u machines exist, the most that [gateway] machines allows", registry->config->machines);
}

/* Stores a machine that exists in memory only. */
static int store_new(struct registry *registry, struct machine *machine, int64_t now)
{
    char *settings = wire_settings(&machine->settings, ORIGIN_REST);
    struct store_change first;
    int r = settings ? 0 : fault(-ENOMEM);

    machine->created = now;
    machine->state.phase_since = now - registry->skew;
    if (r == 0) {
        first = machine_change(machine, now);
        first.settings = settings;
        machine_change_knowledge(machine, &first);
        r = store_create_machine(registry->store, machine->id, &first, &machine->row);
    }
    free(settings);
    machine->epoch = store_epoch(registry->store, machine->row);
    return r;
}

static int load_block(struct machine *machine, const void *knowledge, size_t size, int64_t steady)
{
    int status;

    if (machine_lend_scratch(machine, NULL) != 0)
        return fault(-ENOMEM);
    status = habit_load(&machine->engine, knowledge, size);
    machine_choose_phase(machine, steady);
    machine_return_scratch(machine);
    return status == HABIT_OK ? 0 : fault(-EINVAL);
}

int registry_create(struct registry *registry, const char *id, const struct settings *settings, const void *knowledge,
                    size_t knowledge_size, int64_t now, struct refusal *refusal)
{
    struct machine *machine = NULL;
    int r = full(registry, refusal);

    if (r == 0)
        r = settings_check(settings, refusal);
    if (r > 0)
        return r;
    r = machine_new(&machine, id, settings);
    if (r == 0 && knowledge)
        r = load_block(machine, knowledge, knowledge_size, now - registry->skew);
    if (r == 0)
        r = store_new(registry, machine, now);
    machine = r < 0 ? machine_free(machine) : machine;
    if (r == -EEXIST)
        return refuse(refusal, REFUSAL_STATE, "machine",
                      "machine %s is in the store but could not be loaded: see the log", id);
    if (r == 0) {
        machine->news = machine->settings_news = true; /* before others can find it */
        r = registry_insert(registry, machine);
    }
    if (r < 0)
        return refuse_store(r, refusal);
    pending_remove(registry->pending, id);
    return 0;
}

int registry_create_by_pattern(struct registry *registry, const char *id, int64_t now, struct refusal *refusal)
{
    struct settings settings;
    struct machine *machine;
    bool create;
    int r = 0;

    registry_base_settings(registry, id, &settings, &create);
    if (!create)
        return refuse_unknown(id, refusal);
    if (registry->wiping) /* and waits for the thread that brought this buffer */
        return refuse(refusal, REFUSAL_STATE, "machine",
                      "no machine %s: everything is being wiped; send it again later", id);
    pthread_mutex_lock(&registry->admin);
    machine = registry_find(registry, id); /* another door may have been faster */
    if (machine)
        machine_release(machine);
    else
        r = registry_create(registry, id, &settings, NULL, 0, now, refusal);
    pthread_mutex_unlock(&registry->admin);
    return r;
}

/* What subscribers should know of a machine that is no more: its retained topics are empty, its anomaly is over. */
enum { RETAINED = 3, FAREWELL = RETAINED + 1 };

struct farewell {
    struct store_outgoing outgoing[FAREWELL];
    char topics[RETAINED][MACHINE_ID_SIZE + 16];
    struct episode_log log;
};

static int say_farewell(struct registry *registry, struct machine *machine, struct farewell *farewell)
{
    static const char *const retained[RETAINED] = { "state", "availability", "report/daily" };
    int r = 0;

    for (size_t i = 0; i < RETAINED; i++) {
        snprintf(farewell->topics[i], sizeof(farewell->topics[i]), "%s/%s", machine->id, retained[i]);
        farewell->outgoing[i] = (struct store_outgoing){ .topic = farewell->topics[i], .payload = "", .retain = true };
    }
    if (machine->state.anomaly != 0)
        r = episode_event(machine, registry->store, ANOMALY_CLEARED, NULL, NULL, clock_now().wall, &farewell->log);
    if (r == 0 && farewell->log.count > 0)
        farewell->outgoing[RETAINED] = farewell->log.outgoing[0];
    return r;
}

/* Deletes an entered machine and leaves it. Caller holds admin. */
static int delete_entered(struct registry *registry, struct machine *machine, struct refusal *refusal)
{
    struct farewell farewell = { 0 };
    int r = say_farewell(registry, machine, &farewell);

    if (r == 0)
        r = store_delete_machine(registry->store, machine->row, farewell.outgoing, RETAINED + farewell.log.count,
                                 clock_now().wall);
    if (r == 0) {
        machine->deleted = true;
        registry_take_out(registry, machine->id);
    } else {
        machine->epoch = 0;
    }
    machine_leave(machine);
    episode_log_free(&farewell.log);
    if (r < 0)
        return refuse_store(r, refusal);
    machine_release(machine); /* the table's own reference */
    return 0;
}

int registry_delete(struct registry *registry, const char *id, const char *if_match, struct refusal *refusal)
{
    struct machine *machine = NULL;
    int r;

    pthread_mutex_lock(&registry->admin);
    r = machine_enter(registry, id, &machine, refusal);
    if (r == 0) {
        r = machine_check_etag(machine, if_match, refusal);
        if (r == 0)
            r = delete_entered(registry, machine, refusal);
        else
            machine_leave(machine);
    }
    pthread_mutex_unlock(&registry->admin);
    return r;
}

/* ------------------------------------------------------------------------------------------------------------ wiping */

enum { LOOK_MS = 50 };

static void wait_until_said(struct registry *registry, int64_t patience, uint64_t *left)
{
    const struct timespec pause = { .tv_nsec = LOOK_MS * 1000000 };
    int64_t since;

    for (;;) {
        if (store_outbox_backlog(registry->store, left, &since) < 0 || *left == 0 || patience <= 0)
            return;
        nanosleep(&pause, NULL);
        patience -= LOOK_MS;
    }
}

/* Caller holds admin: no machine is made meanwhile. */
static int delete_all(struct registry *registry, struct wiped *wiped, struct refusal *refusal)
{
    char id[1][MACHINE_ID_SIZE];
    struct machine *machine;
    int r = 0;

    while (r == 0 && registry_ids(registry, NULL, id, 1) > 0) {
        r = machine_enter(registry, id[0], &machine, refusal);
        if (r == 0)
            r = delete_entered(registry, machine, refusal);
        wiped->machines += r == 0;
    }
    return r;
}

int registry_wipe(struct registry *registry, int64_t patience, struct wiped *wiped, struct refusal *refusal)
{
    int r;

    *wiped = (struct wiped){ 0 };
    pthread_mutex_lock(&registry->admin);
    registry->wiping = true;
    r = delete_all(registry, wiped, refusal);
    if (r == 0) {
        wait_until_said(registry, patience, &wiped->unsaid);
        pending_clear(registry->pending);
        r = store_wipe(registry->store);
        r = r < 0 ? refuse_store(r, refusal) : 0;
    }
    registry->wiping = false;
    pthread_mutex_unlock(&registry->admin);
    return r;
}
