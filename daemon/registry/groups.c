/* Reports of assets and of the fleet. */
#include <string.h>

#include "registry/gather.h"

struct grouping {
    const struct civil_day *day;
    bool by_asset;
    struct group_report *groups;
    size_t count, limit, left_out;
};

/* The group of an asset, made where it is new; NULL where there is no room. */
static struct group_report *group_of(struct grouping *grouping, const char *asset)
{
    size_t place = 0;

    while (place < grouping->count && strcmp(grouping->groups[place].asset, asset) < 0)
        place++;
    if (place < grouping->count && strcmp(grouping->groups[place].asset, asset) == 0)
        return &grouping->groups[place];
    if (grouping->count == grouping->limit)
        return NULL;
    memmove(&grouping->groups[place + 1], &grouping->groups[place],
            (grouping->count - place) * sizeof(grouping->groups[0]));
    group_begin(&grouping->groups[place], grouping->day, asset);
    grouping->count++;
    return &grouping->groups[place];
}

static void add_to_group(struct grouping *grouping, const struct daily_report *report)
{
    struct group_report *group = group_of(grouping, grouping->by_asset ? report->asset : "");

    if (group)
        group_add(group, report);
    else
        grouping->left_out++;
}

static int group_portion(void *user, struct daily_report *reports, size_t count)
{
    for (size_t i = 0; i < count; i++)
        add_to_group(user, &reports[i]);
    return 0;
}

int registry_report_groups(struct registry *registry, const struct civil_day *day, bool by_asset, int64_t now,
                           struct group_report *groups, size_t limit, size_t *left_out)
{
    struct grouping grouping = { .day = day, .by_asset = by_asset, .groups = groups, .limit = limit };
    int r;

    if (!by_asset)
        group_of(&grouping, ""); /* the fleet is there without machines too */
    r = gather_portions(registry, day, now, group_portion, &grouping);
    for (size_t i = 0; i < grouping.count; i++)
        group_end(&groups[i], now);
    *left_out = grouping.left_out;
    return r < 0 ? r : (int)grouping.count;
}
