/* Knowledge that is kept: listed, taken, downloaded, added, and put in force again. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "registry/internal.h"
#include "report/days.h"

static void describe(struct snapshot *snapshot, const void *bytes)
{
    struct habit_info info;

    snapshot->whole = bytes && habit_check(bytes, snapshot->size, &info) == HABIT_OK;
    if (!snapshot->whole)
        return;
    snapshot->crc = info.crc;
    snapshot->learned = info.learned;
    snapshot->sensitivity = info.sensitivity;
}

/* What a list collects; a snapshot's bytes only where one was asked for. */
struct collecting {
    struct snapshot *snapshots;
    size_t room, count;
    void *bytes; /* heap */
    bool with_bytes, broken;
};

static void collect(void *user, const struct snapshot *snapshot, const void *bytes)
{
    struct collecting *collecting = user;

    if (collecting->count == collecting->room)
        return;
    collecting->snapshots[collecting->count] = *snapshot;
    describe(&collecting->snapshots[collecting->count++], bytes);
    if (!collecting->with_bytes)
        return;
    collecting->bytes = malloc(snapshot->size + 1U);
    collecting->broken = !collecting->bytes;
    if (collecting->bytes)
        memcpy(collecting->bytes, bytes, snapshot->size);
}

static int row_of(struct registry *registry, const char *id, int64_t *row, struct refusal *refusal)
{
    struct machine *machine;
    int r = machine_enter(registry, id, &machine, refusal);

    if (r != 0)
        return r;
    *row = machine->row;
    machine_leave(machine);
    return 0;
}

int registry_snapshots(struct registry *registry, const char *id, struct snapshot snapshots[SNAPSHOTS_MOST],
                       struct refusal *refusal)
{
    struct collecting collecting = { .snapshots = snapshots, .room = SNAPSHOTS_MOST };
    int64_t row = 0;
    int r = row_of(registry, id, &row, refusal);

    if (r > 0)
        return 0;
    r = store_snapshots(registry->store, row, 0, collect, &collecting);
    return r < 0 ? r : (int)collecting.count;
}

/* The row of a machine and one of its snapshots; *bytes is heap. */
static int fetch(struct registry *registry, const char *id, int64_t row, int64_t number, struct snapshot *snapshot,
                 void **bytes, struct refusal *refusal)
{
    struct collecting collecting = { .snapshots = snapshot, .room = 1, .with_bytes = true };
    int r = number > 0 ? store_snapshots(registry->store, row, number, collect, &collecting) : 0;

    if (r < 0 || collecting.broken)
        return refuse_fault(refusal, r < 0 ? r : fault(-ENOMEM));
    if (collecting.count == 0)
        return refuse(refusal, REFUSAL_NOT_FOUND, "", "%s has no snapshot %" PRId64, id, number);
    *bytes = collecting.bytes;
    return 0;
}

int registry_get_snapshot(struct registry *registry, const char *id, int64_t number, struct snapshot *snapshot,
                          void **bytes, struct refusal *refusal)
{
    int64_t row = 0;
    int r = row_of(registry, id, &row, refusal);

    return r != 0 ? r : fetch(registry, id, row, number, snapshot, bytes, refusal);
}

int registry_take_snapshot(struct registry *registry, const char *id, const char *note, struct moment now,
                           struct refusal *refusal)
{
    struct store_change change;
    struct machine *machine;
    int r = machine_enter(registry, id, &machine, refusal);

    if (r != 0)
        return r;
    change = machine_change(machine, now.wall);
    change.snapshot = SNAPSHOT_REQUEST;
    change.snapshot_note = note;
    return machine_commit(registry, machine, &change, NULL, refusal);
}

static int check_geometry(const struct machine *machine, const void *bytes, size_t size, struct refusal *refusal)
{
    struct habit_config ours = machine_config(&machine->settings);
    struct habit_info info;
    char text[160];
    int status = habit_check(bytes, size, &info);

    if (status != HABIT_OK)
        return refuse(refusal, REFUSAL_KNOWLEDGE, "knowledge", "%s (%zu bytes)", habit_text(status), size);
    if (habit_config_compare(&ours, &info.config) == HABIT_FIELD_NONE)
        return 0;
    return refuse(refusal, REFUSAL_GEOMETRY, "settings", "%s: change the settings first",
                  machine_difference(&ours, &info.config, text, sizeof(text)));
}

int registry_add_snapshot(struct registry *registry, const char *id, const void *bytes, size_t size, const char *note,
                          struct moment now, struct refusal *refusal)
{
    struct machine *machine;
    int64_t row;
    int r = machine_enter(registry, id, &machine, refusal);

    if (r != 0)
        return r;
    r = check_geometry(machine, bytes, size, refusal);
    row = machine->row;
    machine_leave(machine);
    if (r != 0)
        return r;
    r = store_add_snapshot(registry->store, row, SNAPSHOT_UPLOADED, note, bytes, size, now.wall);
    return r < 0 ? refuse_store(r, refusal) : 0;
}

/* Takes the block into memory; the machine keeps its own sensitivity. */
static int load(struct machine *machine, const void *bytes, size_t size)
{
    int r = machine->conflict ? machine_renew_engine(machine) : 0;

    if (r == 0 && habit_load(&machine->engine, bytes, size) != HABIT_OK)
        r = fault(-EINVAL);
    if (r == 0 && habit_get_sensitivity(&machine->engine) != machine->settings.sensitivity)
        habit_set_sensitivity(&machine->engine, machine->settings.sensitivity);
    return r;
}

/* Puts it in force and leaves the machine. */
static int restore_entered(struct registry *registry, struct machine *machine, const struct snapshot *snapshot,
                           const void *bytes, struct moment now, struct refusal *refusal)
{
    const struct replacement replacement = { .reason = SNAPSHOT_RESTORE, .restored = snapshot->id };
    struct episode_log log = { 0 };
    int r = store_commissioning_of(registry->store, machine->row, snapshot->id, &machine->commissioning_count,
                                   &machine->commissioning_bytes);

    if (r == 0)
        r = episode_close(registry, machine, now.wall, &log);
    if (r == 0)
        r = load(machine, bytes, snapshot->size);
    if (r == 0) {
        machine_clear_window(machine);
        machine_join_time(machine, registry_steady(registry, now));
        machine_choose_phase(machine, registry_steady(registry, now));
    }
    return machine_commit_replaced(registry, machine, r, &replacement, now.wall, &log, refusal);
}

int registry_restore(struct registry *registry, const char *id, int64_t number, struct moment now,
                     struct refusal *refusal)
{
    struct snapshot snapshot = { 0 };
    struct machine *machine;
    void *bytes = NULL;
    int r = machine_enter(registry, id, &machine, refusal);

    if (r != 0)
        return r;
    r = fetch(registry, id, machine->row, number, &snapshot, &bytes, refusal);
    if (r == 0)
        r = check_geometry(machine, bytes, snapshot.size, refusal);
    if (r == 0)
        r = restore_entered(registry, machine, &snapshot, bytes, now, refusal);
    else
        machine_leave(machine);
    free(bytes);
    return r;
}

enum { LONGEST_DAY_MS = 26 * 3600000 };

int registry_daily_snapshots(struct registry *registry, struct moment now)
{
    struct civil_day day;
    int r;

    if (now.wall < registry->next_daily - LONGEST_DAY_MS) /* the clock was ahead */
        registry->next_daily = 0;
    if (now.doubtful || now.wall < registry->next_daily)
        return 0;
    civil_day_of_time(now.wall, &day);
    r = store_daily_snapshots(registry->store, day.from, now.wall);
    if (r == 0)
        registry->next_daily = day.to;
    return r;
}
