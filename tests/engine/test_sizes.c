/* Sizes as constant expressions are those that the engine says, for every geometry. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "habit/sizes.h"

/* Constant expressions indeed. */
static const uint32_t knowledge[HABIT_KNOWLEDGE_SIZE(256, 3, HABIT_PROFILE_SMALL) / 4];
static const uint32_t cache[HABIT_CACHE_SIZE(256, 3, HABIT_PROFILE_SMALL) / 4];
static const uint32_t scratch[HABIT_SCRATCH_SIZE(256, 3, HABIT_PROFILE_SMALL) / 4];

static void check_sizes(uint32_t samples, uint32_t axes, uint32_t profile)
{
    const struct habit_config config = {
        .buffer_size = (uint16_t)samples, .axes = (uint8_t)axes, .profile = (uint8_t)profile, .scale = 1.0f
    };

    if (HABIT_KNOWLEDGE_SIZE(samples, axes, profile) != habit_knowledge_size(&config) ||
        HABIT_CACHE_SIZE(samples, axes, profile) != habit_cache_size(&config) ||
        HABIT_SCRATCH_SIZE(samples, axes, profile) != habit_scratch_size(&config))
        fail_msg("%u samples, %u axes, profile %u: knowledge %u and %zu, cache %u and %zu, scratch %u and %zu bytes",
                 samples, axes, profile, HABIT_KNOWLEDGE_SIZE(samples, axes, profile), habit_knowledge_size(&config),
                 HABIT_CACHE_SIZE(samples, axes, profile), habit_cache_size(&config),
                 HABIT_SCRATCH_SIZE(samples, axes, profile), habit_scratch_size(&config));
}

static void test_all_geometries(void **state)
{
    (void)state;
    for (uint32_t profile = 0; profile < HABIT_PROFILES; profile++)
        for (uint32_t axes = 1; axes <= HABIT_MAX_AXES; axes++)
            for (uint32_t samples = 1; samples <= HABIT_MAX_BUFFER_SIZE; samples++)
                check_sizes(samples, axes, profile);
}

static void test_arrays(void **state)
{
    const struct habit_config config = { .buffer_size = 256, .axes = 3, .profile = HABIT_PROFILE_SMALL, .scale = 1.0f };

    (void)state;
    assert_int_equal(sizeof(knowledge), habit_knowledge_size(&config));
    assert_int_equal(sizeof(cache), habit_cache_size(&config));
    assert_int_equal(sizeof(scratch), habit_scratch_size(&config));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_geometries),
        cmocka_unit_test(test_arrays),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
