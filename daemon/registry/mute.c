/* Maintenance: a machine that somebody works on raises nothing, and at the end keeps what it knows, learns on, or begins anew. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "registry/internal.h"

static const struct mute no_mute;

/* The wall clock's distance from the strategy's time; what two clocks read at not quite the same moment differ by is none. */
static int64_t skew_of(struct registry *registry, struct moment now)
{
    enum { READING_MS = 1000 };
    int64_t skew = registry_skew(registry, now);

    return llabs(skew) < READING_MS ? 0 : skew;
}

void machine_view_mute(struct registry *registry, const struct machine *machine, struct moment now, struct mute *mute)
{
    int64_t skew = skew_of(registry, now);

    *mute = machine->mute ? *machine->mute : no_mute;
    mute->since += mute->until != 0 ? skew : 0;
    mute->until += mute->until != 0 ? skew : 0;
}

/* Commits a machine that is muted in memory, or not any more, and leaves it. A restart does not know by how much the clock was set before. */
static int commit_mute(struct registry *registry, struct machine *machine, struct moment now, struct refusal *refusal)
{
    struct store_change change = machine_change(machine, now.wall);
    struct mute stored;

    machine_view_mute(registry, machine, now, &stored);
    change.mute = &stored;
    return machine_commit(registry, machine, &change, NULL, refusal);
}

int registry_mute(struct registry *registry, const char *id, const struct mute *mute, struct moment now,
                  struct refusal *refusal)
{
    struct mute *copy = malloc(sizeof(*copy));
    struct machine *machine;
    int64_t skew = skew_of(registry, now);
    int r;

    if (!copy)
        return refuse_fault(refusal, fault(-ENOMEM));
    r = machine_enter(registry, id, &machine, refusal);
    if (r != 0) {
        free(copy);
        return r;
    }
    machine_join_time(machine, registry_steady(registry, now));
    *copy = *mute;
    copy->until -= skew;
    copy->since = machine->mute ? machine->mute->since : now.wall - skew; /* a longer one is the same maintenance */
    free(machine->mute);
    machine->mute = copy;
    return commit_mute(registry, machine, now, refusal);
}

static int end_it(struct registry *registry, struct machine *machine, struct moment now, struct refusal *refusal)
{
    struct replacement replacement = { .mute = &no_mute };
    enum mute_end then = (enum mute_end)machine->mute->then;
    struct episode_log log = { 0 };
    int64_t steady = registry_steady(registry, now);
    int r = 0;

    machine_join_time(machine, steady);
    machine->mended_from = machine->mute->since;
    machine->mended_until = steady;
    free(machine->mute);
    machine->mute = NULL;
    machine_clear_window(machine); /* what was judged before is of before */
    if (then == MUTE_KEEP)
        return commit_mute(registry, machine, now, refusal);
    replacement.reason = then == MUTE_ENRICH ? SNAPSHOT_ENRICH : SNAPSHOT_INIT;
    replacement.forget = then == MUTE_RELEARN;
    if (replacement.forget)
        r = machine_forget(registry, machine, now, &log);
    machine->enriched = steady;
    strategy_start_learning(&machine->state, steady);
    return machine_commit_replaced(registry, machine, r, &replacement, now.wall, &log, refusal);
}

/* Ends the mute of an entered machine and leaves it. */
static int end_entered(struct registry *registry, struct machine *machine, struct moment now, struct refusal *refusal)
{
    const char *then = mute_end_name((enum mute_end)machine->mute->then);
    char id[MACHINE_ID_SIZE];
    int r;

    memcpy(id, machine->id, sizeof(id));
    r = end_it(registry, machine, now, refusal);
    if (r == 0) /* what the store refuses is tried again each second */
        log_notice("machine %s: maintenance is over (%s)", id, then);
    return r;
}

int registry_unmute(struct registry *registry, const char *id, struct moment now, struct refusal *refusal)
{
    struct machine *machine;
    int r = machine_enter(registry, id, &machine, refusal);

    if (r != 0)
        return r;
    if (machine->mute)
        return end_entered(registry, machine, now, refusal);
    machine_leave(machine);
    return refuse(refusal, REFUSAL_NOT_FOUND, "", "machine %s is not muted", id);
}

/* --------------------------------------------------------------------------------------------------------- the expiry */

enum { PORTION = 64 };

struct expired {
    struct registry *registry;
    char ids[PORTION][MACHINE_ID_SIZE];
    size_t count;
    int64_t steady;
};

static bool is_over(const struct machine *machine, int64_t steady)
{
    return machine->mute && steady >= machine->mute->until;
}

/* Also machines whose memory is ahead of the store, by an end that was refused or by anything else: to enter one loads it anew, so that
 * nobody is shown what is not so, of one that sends nothing either. */
static void find_expired(void *user, struct machine *machine)
{
    struct expired *expired = user;

    if (expired->count < PORTION &&
        (is_over(machine, expired->steady) || !machine_is_current(expired->registry, machine)))
        memcpy(expired->ids[expired->count++], machine->id, MACHINE_ID_SIZE);
}

static int end_expired(struct registry *registry, const char *id, struct moment now)
{
    struct refusal refusal;
    struct machine *machine;
    int r = machine_enter(registry, id, &machine, &refusal);

    if (r != 0)
        return r;
    machine_join_time(machine, registry_steady(registry, now));
    if (is_over(machine, registry_steady(registry, now))) /* it may have been made longer */
        return end_entered(registry, machine, now, &refusal);
    machine_leave(machine);
    return 0;
}

int registry_end_mutes(struct registry *registry, struct moment now)
{
    struct expired expired = { .registry = registry, .steady = registry_steady(registry, now) };
    int r = registry_each(registry, find_expired, &expired);

    for (size_t i = 0; i < expired.count; i++)
        end_expired(registry, expired.ids[i], now); /* what the store does not take is tried again with the next call */
    return r;
}
