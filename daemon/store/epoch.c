/* Epochs: whose memory is ahead of the store. Only the writer raises them. */
#include "store/internal.h"

/* Its place among those with an epoch of their own; apart_count = it is none of them. */
static size_t place_of(const struct store *store, int64_t machine)
{
    size_t i = 0;

    while (i < store->apart_count && store->apart[i].machine != machine)
        i++;
    return i;
}

bool store_is_apart(const struct store *store, int64_t machine)
{
    return place_of(store, machine) < store->apart_count;
}

uint64_t store_epoch(struct store *store, int64_t machine)
{
    uint64_t epoch = store->epoch;
    size_t place;

    if (store->apart_count == 0) /* as good as always */
        return epoch;
    pthread_mutex_lock(&store->mutex);
    place = place_of(store, machine);
    epoch = place < store->apart_count ? store->apart[place].epoch : store->epoch;
    pthread_mutex_unlock(&store->mutex);
    return epoch;
}

void store_raise_epoch(struct store *store)
{
    store->epoch = ++store->last_epoch;
    store->apart_count = 0; /* theirs were before it */
}

void store_raise_epoch_of(struct store *store, int64_t machine)
{
    const size_t place = place_of(store, machine);

    if (place == STORE_APART) {
        store_raise_epoch(store);
        return;
    }
    store->apart[place].machine = machine;
    store->apart[place].epoch = ++store->last_epoch;
    if (place == store->apart_count)
        store->apart_count++;
}
