#include "registry/marks.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

enum { WINDOW = LIMIT_SEQUENCE_WINDOW };

void marks_free(struct marks *marks)
{
    free(marks->mark);
    *marks = (struct marks){ 0 };
}

static struct mark *find(const struct marks *marks, const char *source, const char *boot)
{
    for (size_t i = 0; i < marks->count; i++)
        if (strcmp(marks->mark[i].source, source) == 0 && strcmp(marks->mark[i].boot, boot) == 0)
            return &marks->mark[i];
    return NULL;
}

static bool bit(const struct mark *mark, uint64_t seq)
{
    return mark->seen[seq % WINDOW / 64] >> (seq % 64) & 1;
}

static void set_bit(struct mark *mark, uint64_t seq)
{
    mark->seen[seq % WINDOW / 64] |= UINT64_C(1) << (seq % 64);
}

static void clear_bit(struct mark *mark, uint64_t seq)
{
    mark->seen[seq % WINDOW / 64] &= ~(UINT64_C(1) << (seq % 64));
}

bool marks_applied(const struct marks *marks, const char *source, const char *boot, uint64_t seq)
{
    const struct mark *mark = find(marks, source, boot);

    if (!mark || seq > mark->high)
        return false;
    return mark->high - seq >= WINDOW || bit(mark, seq);
}

/* The bits of the numbers that were skipped belong to numbers 256 below: they start as not applied. */
static void advance(struct mark *mark, uint64_t seq)
{
    if (seq - mark->high >= WINDOW)
        memset(mark->seen, 0, sizeof(mark->seen));
    else
        for (uint64_t skipped = mark->high + 1; skipped < seq; skipped++)
            clear_bit(mark, skipped);
    mark->high = seq;
}

static void drop(struct marks *marks, size_t index)
{
    memmove(&marks->mark[index], &marks->mark[index + 1], (marks->count - index - 1) * sizeof(*marks->mark));
    marks->count--;
}

/* Index of the mark that was used longest ago; of one source, or of all (source NULL). */
static size_t oldest(const struct marks *marks, const char *source)
{
    size_t found = marks->count;

    for (size_t i = 0; i < marks->count; i++)
        if ((!source || strcmp(marks->mark[i].source, source) == 0) &&
            (found == marks->count || marks->mark[i].used < marks->mark[found].used))
            found = i;
    return found;
}

static size_t count_boots(const struct marks *marks, const char *source)
{
    size_t count = 0;

    for (size_t i = 0; i < marks->count; i++)
        count += strcmp(marks->mark[i].source, source) == 0;
    return count;
}

/* Marks of one source lie anywhere; a source is counted where it first appears. */
static size_t count_sources(const struct marks *marks)
{
    size_t count = 0;

    for (size_t i = 0; i < marks->count; i++) {
        size_t j = 0;

        while (strcmp(marks->mark[j].source, marks->mark[i].source) != 0)
            j++;
        count += j == i;
    }
    return count;
}

static int64_t last_used(const struct marks *marks, const char *source)
{
    int64_t used = INT64_MIN;

    for (size_t i = 0; i < marks->count; i++)
        if (strcmp(marks->mark[i].source, source) == 0 && marks->mark[i].used > used)
            used = marks->mark[i].used;
    return used;
}

/* Drops the source that was silent longest, all its boots. */
static void forget_source(struct marks *marks)
{
    char source[SOURCE_SIZE];
    size_t quietest = 0;

    for (size_t i = 1; i < marks->count; i++)
        if (last_used(marks, marks->mark[i].source) < last_used(marks, marks->mark[quietest].source))
            quietest = i;
    memcpy(source, marks->mark[quietest].source, sizeof(source));
    for (size_t i = marks->count; i-- > 0;)
        if (strcmp(marks->mark[i].source, source) == 0)
            drop(marks, i);
}

static struct mark *add(struct marks *marks, const char *source, const char *boot)
{
    size_t boots = count_boots(marks, source);
    struct mark *grown = realloc(marks->mark, (marks->count + 1) * sizeof(*grown));

    if (!grown)
        return NULL;
    marks->mark = grown;
    if (boots >= LIMIT_BOOTS)
        drop(marks, oldest(marks, source));
    else if (boots == 0 && count_sources(marks) >= LIMIT_SOURCES)
        forget_source(marks);
    grown = &marks->mark[marks->count++];
    memset(grown, 0, sizeof(*grown));
    snprintf(grown->source, sizeof(grown->source), "%s", source);
    snprintf(grown->boot, sizeof(grown->boot), "%s", boot);
    return grown;
}

/* What comes last is what was used last, though the clock was set back meanwhile. */
static int64_t later_than_others(const struct marks *marks, const struct mark *mark, int64_t used)
{
    for (size_t i = 0; i < marks->count; i++)
        if (&marks->mark[i] != mark && marks->mark[i].used >= used)
            used = marks->mark[i].used + 1;
    return used;
}

int marks_apply(struct marks *marks, const char *source, const char *boot, uint64_t seq, int64_t used)
{
    struct mark *mark = find(marks, source, boot);

    if (!mark) {
        mark = add(marks, source, boot);
        if (!mark)
            return fault(-ENOMEM);
        mark->high = seq;
    }
    if (seq > mark->high)
        advance(mark, seq);
    if (mark->high - seq < WINDOW) /* the bit of one further below is another number's */
        set_bit(mark, seq);
    mark->used = later_than_others(marks, mark, used);
    return 0;
}

static int join(struct marks *marks, const struct mark *other)
{
    int r = 0;

    for (uint64_t below = WINDOW; below-- > 0 && r == 0;) /* upwards: the ring moves on once */
        if (below <= other->high && bit(other, other->high - below))
            r = marks_apply(marks, other->source, other->boot, other->high - below, other->used);
    return r;
}

int marks_join(struct marks *marks, const struct marks *others)
{
    int r = 0;

    for (size_t i = 0; i < others->count && r == 0; i++)
        r = join(marks, &others->mark[i]);
    return r;
}

int marks_copy(const struct marks *marks, struct marks *copy)
{
    *copy = (struct marks){ 0 };
    if (marks->count == 0)
        return 0;
    copy->mark = malloc(marks->count * sizeof(*copy->mark));
    if (!copy->mark)
        return fault(-ENOMEM);
    memcpy(copy->mark, marks->mark, marks->count * sizeof(*copy->mark));
    copy->count = marks->count;
    return 0;
}
