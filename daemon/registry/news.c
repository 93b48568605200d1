/* What changed of the machines, for any number of readers.
 *
 * A look stamps what has changed since the look before with its own number, whoever asked for it. A reader's round covers
 * the looks since its last one, so nobody takes anything away from anybody, and a round may be read in portions. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "registry/internal.h"

struct looking {
    uint64_t look;
    int64_t steady;
};

static void look_at(void *user, struct machine *machine)
{
    const struct looking *looking = user;
    bool online = strategy_online(&machine->settings, &machine->state, looking->steady);

    if (machine->news || online != machine->online)
        machine->state_look = looking->look;
    if (online != machine->online || machine->online_news)
        machine->online_look = looking->look;
    if (machine->settings_news)
        machine->settings_look = looking->look;
    machine->online = online;
    machine->news = machine->settings_news = machine->online_news = false;
}

void registry_tell_again(struct registry *registry, const char *id)
{
    struct machine *machine = registry_find(registry, id);

    if (!machine)
        return;
    pthread_mutex_lock(&machine->lock);
    machine->news = machine->settings_news = machine->online_news = true;
    pthread_mutex_unlock(&machine->lock);
    machine_release(machine);
}

int registry_news_begin(struct registry *registry, struct registry_news *news, struct moment now)
{
    struct looking looking = { .steady = registry_steady(registry, now) };
    int r;

    if (news->under_way)
        return 0;
    pthread_mutex_lock(&registry->looking);
    looking.look = ++registry->looks;
    r = registry_each(registry, look_at, &looking);
    pthread_mutex_unlock(&registry->looking);
    if (r < 0)
        return r;
    news->until = looking.look;
    news->after[0] = '\0';
    news->under_way = true;
    return 0;
}

static unsigned int what_changed(const struct machine *machine, const struct registry_news *news)
{
    const struct {
        uint64_t look;
        unsigned int what;
    } stamps[] = { { machine->state_look, NEWS_STATE },
                   { machine->online_look, NEWS_ONLINE },
                   { machine->settings_look, NEWS_SETTINGS } };
    unsigned int what = 0;

    for (size_t i = 0; i < sizeof(stamps) / sizeof(stamps[0]); i++)
        if (stamps[i].look > news->since && stamps[i].look <= news->until)
            what |= stamps[i].what;
    return news->since == 0 ? NEWS_ALL : what;
}

/* What changed of one machine, 0 = nothing; where something did, view is filled. */
static unsigned int view_news(struct registry *registry, const struct registry_news *news, struct moment now,
                              struct machine_view *view)
{
    struct machine *machine = registry_find(registry, news->after);
    unsigned int what;

    if (!machine)
        return 0;
    pthread_mutex_lock(&machine->lock);
    what = machine->deleted ? 0 : what_changed(machine, news);
    if (what != 0 && machine_lend_scratch(machine, NULL) != 0)
        what = 0;
    if (what != 0) {
        machine_view(registry, machine, view, now);
        machine_return_scratch(machine);
    }
    pthread_mutex_unlock(&machine->lock);
    machine_release(machine);
    return what;
}

enum { PORTION = 64 }; /* IDs copied at a time */

int registry_news_next(struct registry *registry, struct registry_news *news, struct moment now, size_t limit,
                       void (*each)(void *user, const struct machine_view *view, unsigned int what), void *user)
{
    char ids[PORTION][MACHINE_ID_SIZE];
    struct machine_view view;
    size_t count = 0, found = 1;

    while (news->under_way && count < limit && found > 0) {
        found = registry_ids(registry, news->after[0] != '\0' ? news->after : NULL, ids, PORTION);
        for (size_t i = 0; i < found && count < limit; i++) {
            unsigned int what;

            memcpy(news->after, ids[i], sizeof(news->after));
            what = view_news(registry, news, now, &view);
            if (what == 0)
                continue;
            each(user, &view, what);
            count++;
        }
    }
    if (news->under_way && found == 0) {
        news->since = news->until;
        news->under_way = false;
    }
    return (int)count;
}

/* ----------------------------------------------------------------------------------------------------------- gauges */

struct gauging {
    struct machine_gauges *gauges;
    size_t count, room;
    int64_t steady, skew; /* time as strategy has it; what people see is that and the skew */
};

static void gauge(void *user, struct machine *machine)
{
    struct gauging *gauging = user;
    const struct verdict *last = &machine->last;
    struct machine_gauges *gauges = &gauging->gauges[gauging->count];

    if (gauging->count == gauging->room)
        return;
    gauging->count++;
    *gauges = (struct machine_gauges){ .phase = strategy_phase(&machine->settings, &machine->state),
                                       .online = strategy_online(&machine->settings, &machine->state, gauging->steady),
                                       .anomaly = machine->told != 0,
                                       .judged = last->at != 0 && last->status == VERDICT_OK,
                                       .average_known = last->average.known,
                                       .similarity = last->detection.similarity,
                                       .average = last->average.similarity,
                                       .distance = last->detection.distance,
                                       .last_seen =
                                           machine->state.last_seen != 0 ? machine->state.last_seen + gauging->skew : 0,
                                       .counters = machine->counters };
    snprintf(gauges->id, sizeof(gauges->id), "%s", machine->id);
    snprintf(gauges->name, sizeof(gauges->name), "%s", machine->settings.name);
    snprintf(gauges->asset, sizeof(gauges->asset), "%s", machine->settings.asset);
    snprintf(gauges->location, sizeof(gauges->location), "%s", machine->settings.location);
}

int registry_gauges(struct registry *registry, struct moment now, struct machine_gauges **gauges)
{
    struct gauging gauging = { .room = registry_count(registry),
                               .steady = registry_steady(registry, now),
                               .skew = registry_skew(registry, now) };
    int r;

    gauging.gauges = calloc(gauging.room + 1, sizeof(*gauging.gauges));
    if (!gauging.gauges)
        return fault(-ENOMEM);
    r = registry_each(registry, gauge, &gauging);
    if (r < 0) {
        free(gauging.gauges);
        return r;
    }
    *gauges = gauging.gauges;
    return (int)gauging.count;
}
