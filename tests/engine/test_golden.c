/* The same buffers give the same bytes: on every processor, with every compiler, in every release of a format version.
 *
 * A difference here is either a mistake or a new HABIT_FORMAT_VERSION. Then, and only then:
 *
 *     build/tests/engine/engine-golden --print > tests/engine/golden.inc
 *
 * No sample comes from a recording: a 32-bit congruential generator makes them, in integers. */
#include <stdio.h>
#include <string.h>

#include "machine.h"

#include "crc32c.h"
#include "maths.h"

struct golden {
    unsigned int samples, axes, profile, learned;
    uint32_t knowledge;   /* CRC32C of the sealed block */
    uint32_t distance[4]; /* bits; the last two are of buffers with a tone */
    uint32_t average;
};

static const struct golden goldens[] = {
#include "golden.inc"
};

static void fill(struct machine *m, bool tone)
{
    for (size_t i = 0; i < m->count; i++) {
        m->buffer[i] = noise(&m->seed) + 0.25f * noise(&m->seed);
        if (tone)
            m->buffer[i] += (i / m->config.axes) % 8 < 4 ? 0.75f : -0.75f;
    }
}

static struct golden measure(const struct golden *g)
{
    struct golden got = *g;
    struct machine m;
    struct habit_window window;
    struct habit_average average;

    machine_init(&m, g->samples, g->axes, (enum habit_profile)g->profile, 20240229u);
    for (unsigned int i = 0; i < g->learned; i++) {
        fill(&m, i % 16 == 11);
        machine_learn(&m);
    }
    assert_int_equal(habit_window_init(&window, 4), HABIT_OK);
    for (int i = 0; i < 4; i++) {
        struct habit_result result;

        fill(&m, i >= 2);
        result = machine_detect(&m);
        got.distance[i] = habit_bits(result.distance);
        assert_int_equal(habit_window_add(&window, &result), HABIT_OK);
    }
    assert_int_equal(habit_window_result(&m.engine, &window, &average), HABIT_OK);
    got.average = habit_bits(average.distance);
    assert_int_equal(habit_seal(&m.engine), HABIT_OK);
    got.knowledge = habit_crc32c(0, m.memory.knowledge, m.memory.knowledge_size);
    machine_deinit(&m);
    return got;
}

static void print(const struct golden *g)
{
    printf("{ %u, %u, %u, %u, 0x%08xu, { 0x%08xu, 0x%08xu, 0x%08xu, 0x%08xu }, 0x%08xu },\n", g->samples, g->axes,
           g->profile, g->learned, g->knowledge, g->distance[0], g->distance[1], g->distance[2], g->distance[3],
           g->average);
}

static void test_bytes_and_distances_are_as_ever(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(goldens) / sizeof(goldens[0]); i++) {
        const struct golden got = measure(&goldens[i]);

        if (memcmp(&got, &goldens[i], sizeof(got)) != 0) {
            print(&got);
            fail_msg("row %zu of golden.inc differs", i);
        }
    }
}

static int print_all(void)
{
    for (size_t i = 0; i < sizeof(goldens) / sizeof(goldens[0]); i++) {
        const struct golden got = measure(&goldens[i]);

        print(&got);
    }
    return 0;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bytes_and_distances_are_as_ever),
    };

    if (argc > 1 && strcmp(argv[1], "--print") == 0)
        return print_all();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
