#include "report/episodes.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static int by_raised(const void *a, const void *b)
{
    const struct anomaly *one = a, *other = b;

    if (one->raised != other->raised)
        return one->raised < other->raised ? -1 : 1;
    return one->id < other->id ? -1 : one->id > other->id;
}

static bool same_place(const struct anomaly *a, const struct anomaly *b)
{
    if (a->asset[0] == '\0' && b->asset[0] == '\0')
        return strcmp(a->machine, b->machine) == 0;
    return strcmp(a->asset, b->asset) == 0;
}

/* An open one has no end yet. */
static bool reaches(const struct anomaly *earlier, const struct anomaly *later)
{
    return earlier->cleared == 0 || later->raised <= earlier->cleared + EPISODE_GAP_MS;
}

/* Of an episode any member may be the one that lasts longest. */
static bool joins(const struct anomaly *anomalies, size_t i, size_t *episode)
{
    for (size_t k = i; k-- > 0;)
        if (same_place(&anomalies[k], &anomalies[i]) && reaches(&anomalies[k], &anomalies[i])) {
            episode[i] = episode[k];
            return true;
        }
    return false;
}

size_t episodes_group(struct anomaly *anomalies, size_t count, size_t *episode)
{
    size_t episodes = 0;

    qsort(anomalies, count, sizeof(*anomalies), by_raised);
    for (size_t i = 0; i < count; i++)
        if (!joins(anomalies, i, episode))
            episode[i] = episodes++;
    return episodes;
}
