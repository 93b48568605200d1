#include "registry/pending.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct pending_list {
    pthread_mutex_t mutex;
    size_t count;
    uint64_t dropped;
    struct pending entry[LIMIT_PENDING]; /* sorted by ID */
};

struct pending_list *pending_new(void)
{
    struct pending_list *list = calloc(1, sizeof(*list));

    if (list)
        pthread_mutex_init(&list->mutex, NULL);
    return list;
}

struct pending_list *pending_free(struct pending_list *list)
{
    if (list)
        pthread_mutex_destroy(&list->mutex);
    free(list);
    return NULL;
}

/* Where an ID is, or would be put. */
static size_t place_of(const struct pending_list *list, const char *id)
{
    size_t low = 0, high = list->count;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (strcmp(list->entry[middle].id, id) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool is_at(const struct pending_list *list, size_t place, const char *id)
{
    return place < list->count && strcmp(list->entry[place].id, id) == 0;
}

static void take_out(struct pending_list *list, size_t place)
{
    memmove(&list->entry[place], &list->entry[place + 1], (list->count - place - 1) * sizeof(list->entry[0]));
    list->count--;
}

static void make_room(struct pending_list *list)
{
    size_t quietest = 0;

    if (list->count < LIMIT_PENDING)
        return;
    for (size_t i = 1; i < list->count; i++)
        if (list->entry[i].last < list->entry[quietest].last)
            quietest = i;
    take_out(list, quietest);
    list->dropped++;
}

static struct pending *put_in(struct pending_list *list, const char *id, int64_t at)
{
    size_t place;
    struct pending *entry;

    make_room(list);
    place = place_of(list, id);
    entry = &list->entry[place];
    memmove(entry + 1, entry, (list->count - place) * sizeof(*entry));
    list->count++;
    *entry = (struct pending){ .first = at };
    snprintf(entry->id, sizeof(entry->id), "%s", id);
    return entry;
}

void pending_note(struct pending_list *list, const char *id, const char *topic, size_t bytes, uint32_t format,
                  int64_t at)
{
    struct pending *entry;
    size_t place;

    pthread_mutex_lock(&list->mutex);
    place = place_of(list, id);
    entry = is_at(list, place, id) ? &list->entry[place] : put_in(list, id, at);
    snprintf(entry->topic, sizeof(entry->topic), "%s", topic);
    entry->bytes = bytes;
    entry->format = format;
    entry->last = at;
    entry->count++;
    pthread_mutex_unlock(&list->mutex);
}

bool pending_find(struct pending_list *list, const char *id, struct pending *found)
{
    size_t place;
    bool is;

    pthread_mutex_lock(&list->mutex);
    place = place_of(list, id);
    is = is_at(list, place, id);
    if (is)
        *found = list->entry[place];
    pthread_mutex_unlock(&list->mutex);
    return is;
}

void pending_clear(struct pending_list *list)
{
    pthread_mutex_lock(&list->mutex);
    memset(list->entry, 0, list->count * sizeof(list->entry[0]));
    list->count = 0;
    pthread_mutex_unlock(&list->mutex);
}

void pending_remove(struct pending_list *list, const char *id)
{
    size_t place;

    pthread_mutex_lock(&list->mutex);
    place = place_of(list, id);
    if (is_at(list, place, id))
        take_out(list, place);
    pthread_mutex_unlock(&list->mutex);
}

size_t pending_take_page(struct pending_list *list, const char *after, struct pending *page, size_t limit)
{
    size_t place, count = 0;

    pthread_mutex_lock(&list->mutex);
    place = after ? place_of(list, after) : 0;
    if (after && is_at(list, place, after))
        place++;
    while (count < limit && place < list->count)
        page[count++] = list->entry[place++];
    pthread_mutex_unlock(&list->mutex);
    return count;
}

size_t pending_count(struct pending_list *list, uint64_t *dropped)
{
    size_t count;

    pthread_mutex_lock(&list->mutex);
    count = list->count;
    *dropped = list->dropped;
    pthread_mutex_unlock(&list->mutex);
    return count;
}
