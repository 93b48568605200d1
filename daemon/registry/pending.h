/* IDs that send but are not known: bounded, the one that was silent longest makes room. Thread-safe. */
#ifndef HABIT_REGISTRY_PENDING_H
#define HABIT_REGISTRY_PENDING_H

#include <stdbool.h>
#include <stddef.h>

#include "record/machine.h"

struct pending_list;

struct pending_list *pending_new(void); /* NULL: no memory */
struct pending_list *pending_free(struct pending_list *list);

void pending_note(struct pending_list *list, const char *id, const char *topic, size_t bytes, uint32_t format,
                  int64_t at);
bool pending_find(struct pending_list *list, const char *id, struct pending *found);
void pending_clear(struct pending_list *list);
void pending_remove(struct pending_list *list, const char *id);

/* Entries with IDs above `after`, in byte order. Returns how many. */
size_t pending_take_page(struct pending_list *list, const char *after, struct pending *page, size_t limit);

/* How many there are; *dropped: how many had to make room so far. */
size_t pending_count(struct pending_list *list, uint64_t *dropped);

#endif
