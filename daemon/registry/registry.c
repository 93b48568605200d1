/* The set of machines: finding, loading, entering, committing. */
#include "registry/registry.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "registry/internal.h"
#include "wire/document.h"

/* ---------------------------------------------------------------------------------------------------------- the table */

static size_t place_of(const struct registry *registry, const char *id)
{
    size_t low = 0, high = registry->count;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (strcmp(registry->machine[middle]->id, id) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool is_at(const struct registry *registry, size_t place, const char *id)
{
    return place < registry->count && strcmp(registry->machine[place]->id, id) == 0;
}

int registry_insert(struct registry *registry, struct machine *machine)
{
    size_t place;
    int r = 0;

    pthread_rwlock_wrlock(&registry->table);
    if (registry->count == registry->room) {
        size_t room = registry->room > 0 ? 2 * registry->room : 64;
        struct machine **grown = realloc(registry->machine, room * sizeof(struct machine *));

        if (grown) {
            registry->machine = grown;
            registry->room = room;
        } else {
            r = -ENOMEM;
        }
    }
    if (r == 0) {
        place = place_of(registry, machine->id);
        memmove(&registry->machine[place + 1], &registry->machine[place],
                (registry->count - place) * sizeof(struct machine *));
        registry->machine[place] = machine;
        registry->count++;
    }
    pthread_rwlock_unlock(&registry->table);
    return fault(r);
}

void registry_take_out(struct registry *registry, const char *id)
{
    size_t place;

    pthread_rwlock_wrlock(&registry->table);
    place = place_of(registry, id);
    if (is_at(registry, place, id)) {
        memmove(&registry->machine[place], &registry->machine[place + 1],
                (registry->count - place - 1) * sizeof(struct machine *));
        registry->count--;
    }
    pthread_rwlock_unlock(&registry->table);
}

struct machine *registry_find(struct registry *registry, const char *id)
{
    struct machine *machine = NULL;
    size_t place;

    pthread_rwlock_rdlock(&registry->table);
    place = place_of(registry, id);
    if (is_at(registry, place, id)) {
        machine = registry->machine[place];
        machine->references++;
    }
    pthread_rwlock_unlock(&registry->table);
    return machine;
}

size_t registry_ids(struct registry *registry, const char *after, char (*ids)[MACHINE_ID_SIZE], size_t limit)
{
    size_t place, count = 0;

    pthread_rwlock_rdlock(&registry->table);
    place = after ? place_of(registry, after) : 0;
    if (after && is_at(registry, place, after))
        place++;
    while (count < limit && place < registry->count)
        memcpy(ids[count++], registry->machine[place++]->id, MACHINE_ID_SIZE);
    pthread_rwlock_unlock(&registry->table);
    return count;
}

size_t registry_count(struct registry *registry)
{
    size_t count;

    pthread_rwlock_rdlock(&registry->table);
    count = registry->count;
    pthread_rwlock_unlock(&registry->table);
    return count;
}

int registry_each(struct registry *registry, void (*each)(void *user, struct machine *machine), void *user)
{
    struct machine **machines;
    size_t count;

    pthread_rwlock_rdlock(&registry->table);
    count = registry->count;
    machines = malloc((count + 1) * sizeof(struct machine *));
    for (size_t i = 0; machines && i < count; i++) {
        machines[i] = registry->machine[i];
        machines[i]->references++;
    }
    pthread_rwlock_unlock(&registry->table);
    if (!machines)
        return fault(-ENOMEM);
    for (size_t i = 0; i < count; i++) {
        pthread_mutex_lock(&machines[i]->lock);
        if (!machines[i]->deleted)
            each(user, machines[i]);
        pthread_mutex_unlock(&machines[i]->lock);
        machine_release(machines[i]);
    }
    free(machines);
    return 0;
}

void machine_release(struct machine *machine)
{
    if (atomic_fetch_sub(&machine->references, 1) == 1)
        machine_free(machine);
}

/* ---------------------------------------------------------------------------------------------------------- loading */

void registry_base_settings(const struct registry *registry, const char *id, struct settings *settings, bool *create)
{
    config_settings(registry->config, id, settings, create);
}

/* A geometry that neither file nor REST names any more is still in the knowledge. */
static void geometry_from_knowledge(struct settings *settings, const struct store_machine *stored)
{
    struct habit_info info;

    if ((settings->buffer_size != 0 && settings->axes != 0) || !stored->knowledge ||
        habit_check(stored->knowledge, stored->knowledge_size, &info) != HABIT_OK)
        return;
    settings->buffer_size = info.config.buffer_size;
    settings->axes = info.config.axes;
    settings->profile = info.config.profile;
    settings->sampling_hz = info.config.sampling_hz;
    settings->scale = info.config.scale;
    memcpy(settings->unit, info.config.unit, sizeof(settings->unit));
}

static int settings_of_stored(const struct registry *registry, const struct store_machine *stored,
                              struct settings *settings, struct refusal *refusal)
{
    struct settings base;
    bool create;
    int r;

    registry_base_settings(registry, stored->id, &base, &create);
    *settings = base;
    r = wire_read_settings(stored->settings, strlen(stored->settings), settings, &base, ORIGIN_REST, refusal);
    if (r != 0)
        return r;
    geometry_from_knowledge(settings, stored);
    return settings_check(settings, refusal);
}

struct loading {
    struct registry *registry;
    struct machine *machine; /* the one that was asked for */
};

static int make_stored(const struct registry *registry, const struct store_machine *stored, struct machine **machine)
{
    struct refusal refusal = { 0 };
    struct settings settings;
    int r = settings_of_stored(registry, stored, &settings, &refusal);

    if (r > 0) {
        log_error("machine %s is left out: %s %s: mend the configuration and start again", stored->id, refusal.field,
                  refusal.detail);
        return 0;
    }
    if (r == 0)
        r = machine_new(machine, stored->id, &settings);
    if (r == 0)
        r = machine_restore(*machine, stored);
    if (r == 0)
        (*machine)->epoch = store_epoch(registry->store, stored->machine);
    return r;
}

static void report_troubles(const struct machine *machine)
{
    struct habit_config config = machine_config(&machine->settings);
    char text[160];

    if (machine->conflict)
        log_warning("machine %s: %s: buffers are refused until one of both is changed or POST .../initialize forgets",
                    machine->id, machine_difference(&config, &machine->engine.config, text, sizeof(text)));
    if (machine->damaged)
        log_error("machine %s: its stored knowledge does not load and stays a snapshot: it begins to learn anew",
                  machine->id);
}

static int load_each(void *user, const struct store_machine *stored)
{
    struct loading *loading = user;
    struct machine *machine = NULL;
    int r = make_stored(loading->registry, stored, &machine);

    if (r == 0 && machine) {
        report_troubles(machine);
        r = registry_insert(loading->registry, machine);
    }
    if (r < 0)
        machine_free(machine);
    return r;
}

static int reload_each(void *user, const struct store_machine *stored)
{
    struct loading *loading = user;

    return make_stored(loading->registry, stored, &loading->machine);
}

bool machine_is_current(const struct registry *registry, struct machine *machine)
{
    const uint64_t epoch = store_epoch(registry->store, machine->row);

    if (machine->epoch != 0 && machine->unsettled == 0)
        machine->epoch = epoch;
    return machine->epoch == epoch;
}

int machine_await_changes(struct registry *registry, struct machine *machine)
{
    const struct store_change barrier = { .machine = machine->row,
                                          .epoch = store_epoch(registry->store, machine->row) };
    struct store_op *op = NULL;
    int r = store_submit(registry->store, &barrier, &op);

    return r == 0 ? store_finish(registry->store, op) : r;
}

/* Memory was ahead of the store, or may be: what the store holds is what is. An epoch of 0 says that changes of this machine
 * may still be on their way. */
static int reload(struct registry *registry, struct machine *machine, struct refusal *refusal)
{
    struct loading loading = { registry, NULL };
    int r = machine->epoch == 0 ? machine_await_changes(registry, machine) : 0;

    if (r == 0)
        r = store_load_machines(registry->store, machine->row, reload_each, &loading);
    machine_note_store(registry, machine, r);
    if (r < 0 || !loading.machine) {
        machine_free(loading.machine);
        if (r == -EUCLEAN)
            return refuse_fault(refusal, r);
        return refuse(refusal, REFUSAL_STORE, "", "the store cannot be read; try again in a second");
    }
    stream_lose(registry, machine);
    if (loading.machine->mute) { /* of which the store has wall time */
        loading.machine->mute->since -= registry->skew;
        loading.machine->mute->until -= registry->skew;
    }
    r = machine_take(machine, loading.machine);
    if (r < 0) {
        machine_free(loading.machine);
        return refuse_fault(refusal, r);
    }
    machine->epoch = loading.machine->epoch;
    machine->unsettled = 0;
    machine->generation++;
    machine->news = machine->settings_news = true;
    machine_free(loading.machine);
    return 0;
}

int registry_new(struct registry **ret_registry, const struct config *config, struct store *store)
{
    struct registry *registry = calloc(1, sizeof(*registry));
    struct loading loading = { registry, NULL };
    int r = -ENOMEM;

    if (!registry)
        return fault(r);
    registry->config = config;
    registry->store = store;
    registry->wall_ahead = INT64_MIN;
    pthread_mutex_init(&registry->admin, NULL);
    pthread_mutex_init(&registry->flushing, NULL);
    pthread_mutex_init(&registry->looking, NULL);
    pthread_rwlock_init(&registry->table, NULL);
    registry->pending = pending_new();
    if (registry->pending)
        r = store_report_progress(store, &registry->progress);
    registry->closed = registry->progress.closed;
    if (r == 0)
        r = store_load_machines(store, 0, load_each, &loading);
    if (r == 0)
        r = registry_forget_unwanted(registry); /* nobody else knows the machines yet */
    if (r < 0) {
        registry_free(registry);
        return fault(r);
    }
    *ret_registry = registry;
    return 0;
}

struct registry *registry_free(struct registry *registry)
{
    if (!registry)
        return NULL;
    for (size_t i = 0; i < registry->count; i++)
        machine_release(registry->machine[i]);
    free(registry->machine);
    pending_free(registry->pending);
    pthread_rwlock_destroy(&registry->table);
    pthread_mutex_destroy(&registry->looking);
    pthread_mutex_destroy(&registry->flushing);
    pthread_mutex_destroy(&registry->admin);
    free(registry);
    return NULL;
}

/* --------------------------------------------------------------------------------------------------------- entering */

int check_id(const char *id, struct refusal *refusal)
{
    if (machine_id_valid(id, strlen(id)))
        return 0;
    return refuse(refusal, REFUSAL_MACHINE_ID, "machine", "not a machine ID: " MACHINE_ID_RULE);
}

int refuse_unknown(const char *id, struct refusal *refusal)
{
    refuse(refusal, REFUSAL_NO_MACHINE, "machine",
           "no machine %s: PUT /v1/machines/%s makes it, a [machine] section with create = yes, or habit adopt where "
           "it is pending",
           id, id);
    return REFUSAL_NO_MACHINE;
}

int machine_lend_scratch(struct machine *machine, struct refusal *refusal)
{
    size_t size = habit_scratch_size(&machine->engine.config);
    void *scratch = malloc(size);

    if (!scratch)
        return refuse_fault(refusal, fault(-ENOMEM));
    habit_use_scratch(&machine->engine, scratch, size);
    return 0;
}

int machine_enter(struct registry *registry, const char *id, struct machine **ret_machine, struct refusal *refusal)
{
    int r = check_id(id, refusal);
    struct machine *machine = r == 0 ? registry_find(registry, id) : NULL;

    if (!machine)
        return r != 0 ? r : refuse_unknown(id, refusal);
    pthread_mutex_lock(&machine->lock);
    if (machine->deleted)
        r = refuse_unknown(id, refusal);
    else if (!machine_is_current(registry, machine))
        r = reload(registry, machine, refusal);
    if (r == 0)
        r = machine_lend_scratch(machine, refusal);
    if (r != 0) {
        pthread_mutex_unlock(&machine->lock);
        machine_release(machine);
        return r;
    }
    *ret_machine = machine;
    return 0;
}

void machine_return_scratch(struct machine *machine)
{
    free(machine->engine.memory.scratch);
    machine->engine.memory.scratch = NULL;
}

void machine_leave(struct machine *machine)
{
    machine_return_scratch(machine);
    pthread_mutex_unlock(&machine->lock);
    machine_release(machine);
}

/* ------------------------------------------------------------------------------------------------------- committing */

struct store_change machine_change(const struct machine *machine, int64_t at)
{
    return (struct store_change){ .machine = machine->row,
                                  .epoch = machine->epoch,
                                  .at = at,
                                  .state = &machine->state,
                                  .window = &machine->window,
                                  .window_size = sizeof(machine->window) };
}

void machine_change_knowledge(struct machine *machine, struct store_change *change)
{
    habit_seal(&machine->engine);
    if (machine->damaged) /* whatever else it would be called */
        change->snapshot = SNAPSHOT_DAMAGED;
    machine->damaged = false;
    change->knowledge = machine->memory.knowledge;
    change->knowledge_size = machine->memory.knowledge_size;
}

int refuse_store(int r, struct refusal *refusal)
{
    if (r == -EUCLEAN)
        return refuse_fault(refusal, r);
    return refuse(refusal, REFUSAL_STORE, "",
                  "the store could not commit (%s): it does not count as applied, try again", strerror(-r));
}

void machine_note_store(struct registry *registry, struct machine *machine, int r)
{
    if (r != -EUCLEAN)
        return;
    machine->file_damaged = true;
    if (!atomic_exchange(&registry->damage_told, true)) /* a page may be of many machines: /readyz counts them */
        log_error("machine %s: the database is damaged where it is stored: what it learns is refused, also over MQTT; "
                  "start habitd anew, which checks the file, and restore a backup",
                  machine->id);
}

int machine_commit(struct registry *registry, struct machine *machine, const struct store_change *change,
                   struct receipt *receipt, struct refusal *refusal)
{
    struct receipt own = { 0 };
    struct receipt *taken = receipt ? receipt : &own;
    int r = store_submit(registry->store, change, &taken->op);

    if (r < 0) {
        machine->epoch = 0; /* memory is ahead and nobody will write it: load anew before the next use */
    } else {
        machine->unsaved = false;
        machine->unsettled++;
        machine->references++;
        taken->machine = machine;
        taken->generation = machine->generation;
    }
    machine->news = true;
    machine_leave(machine);
    if (r < 0) {
        registry->refusals[REFUSAL_STORE]++;
        return refuse_store(r, refusal);
    }
    return receipt ? 0 : registry_settle(registry, &own, refusal);
}

/* A commit that failed stays unsettled: the machine is loaded anew before its next use. */
static void settle_machine(struct registry *registry, const struct receipt *receipt, int r)
{
    struct machine *machine = receipt->machine;
    const bool committed = r == 0;

    pthread_mutex_lock(&machine->lock);
    if (committed && machine->generation == receipt->generation && --machine->unsettled == 0 && machine->epoch != 0)
        machine->told = machine->state.anomaly;
    if (committed)
        machine->counters.anomalies += receipt->raised;
    machine_note_store(registry, machine, r);
    pthread_mutex_unlock(&machine->lock);
    machine_release(machine);
}

static void count_latency(struct registry *registry, const struct receipt *receipt)
{
    if (receipt->began != 0)
        histogram_observe(&registry->ingest_latency[receipt->transport], &histogram_milliseconds,
                          clock_ticks() - receipt->began);
}

int registry_settle(struct registry *registry, struct receipt *receipt, struct refusal *refusal)
{
    int r;

    if (!receipt->op)
        return 0;
    r = store_finish(registry->store, receipt->op);
    settle_machine(registry, receipt, r);
    receipt->op = NULL;
    if (r == 0) {
        registry->learned += receipt->learned;
        count_latency(registry, receipt);
        return 0;
    }
    r = refuse_store(r, refusal);
    registry->refusals[r]++;
    return r;
}
