#include "bench.h"

#include <stdio.h>
#include <stdlib.h>

void start(struct bench *bench)
{
    char message[STORE_MESSAGE_SIZE];

    if (store_open(&bench->store, bench->path, message) != 0)
        fail_msg("%s", message);
    assert_int_equal(registry_new(&bench->registry, &bench->config, bench->store), 0);
}

void stop(struct bench *bench)
{
    bench->registry = registry_free(bench->registry);
    bench->store = store_close(bench->store);
}

void restart(struct bench *bench)
{
    assert_int_equal(registry_flush(bench->registry, bench->now), 0);
    stop(bench);
    start(bench);
}

struct bench *bench_new(void)
{
    struct bench *bench = calloc(1, sizeof(*bench));

    assert_non_null(bench);
    directory_make(bench->directory);
    snprintf(bench->path, sizeof(bench->path), "%s/habit.db", bench->directory);
    assert_int_equal(config_default(&bench->config), 0);
    bench->now = (struct moment){ .wall = INT64_C(1795353571000), .mono = 1000 };
    bench->seed = 42;
    return bench;
}

void bench_free(struct bench *bench)
{
    stop(bench);
    config_free(&bench->config);
    directory_remove(bench->directory);
    free(bench);
}
