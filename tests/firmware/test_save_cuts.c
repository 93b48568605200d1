/* Power cuts, everywhere and twice: see cuts.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "cuts.h"

static void run(struct cuts cuts)
{
    const char *wrong = cuts_run(&cuts);

    if (wrong)
        fail_msg("unit %u, window %u: save %u, torn %u, cut at operation %u, then at %u: %s", cuts.unit_size,
                 cuts.window, cuts.save, cuts.torn, cuts.cut, cuts.again, wrong);
    print_message("unit %2u, %u slots, %u saves: %u cuts (%u old, %u new), %u second cuts\n", cuts.unit_size,
                  cuts.slots, cuts.saves, cuts.first_cuts, cuts.old, cuts.new, cuts.second_cuts);
}

#define SMALL \
    .buffer_size = 1, .axes = 1, .profile = HABIT_PROFILE_SMALL, .page_size = 256, .slot_size = 768, .slots = 2
#define USUAL \
    .buffer_size = 16, .axes = 3, .profile = HABIT_PROFILE_DEFAULT, .page_size = 2048, .slot_size = 4096, .slots = 2

static void test_every_unit_of_50_saves_then_every_unit_of_the_recovery(void **state)
{
    (void)state;
    run((struct cuts){ SMALL, .unit_size = 8, .saves = 50, .second = 5 });
    run((struct cuts){ SMALL, .unit_size = 16, .saves = 50, .second = 1 });
    run((struct cuts){ SMALL, .unit_size = 32, .saves = 50, .second = 1 });
    run((struct cuts){ SMALL, .unit_size = 4, .saves = 50, .second = 23 });
}

static void test_a_block_of_usual_size(void **state)
{
    (void)state;
    run((struct cuts){ USUAL, .unit_size = 8, .saves = 4, .second = 97 });
    run((struct cuts){ USUAL, .unit_size = 32, .saves = 4, .second = 31 });
}

static void test_parts_that_are_busy_or_put_off(void **state)
{
    (void)state;
    run((struct cuts){ SMALL, .unit_size = 8, .saves = 4, .second = 1, .busy_polls = 3, .put_off = 5 });
}

static void test_parts_whose_erased_units_cannot_be_read(void **state)
{
    (void)state;
    run((struct cuts){ SMALL, .unit_size = 16, .saves = 10, .second = 1, .blank_faults = true });
}

static void test_units_that_arrive_in_any_order(void **state)
{
    (void)state;
    run((struct cuts){ SMALL, .unit_size = 8, .saves = 10, .second = 5, .window = 2 });
    run((struct cuts){ SMALL, .unit_size = 8, .saves = 10, .second = 5, .window = HABIT_EMULATED_WINDOW });
}

static void test_a_third_slot(void **state)
{
    struct cuts cuts = { SMALL, .unit_size = 16, .saves = 10, .second = 1 };

    (void)state;
    cuts.slots = 3;
    run(cuts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_unit_of_50_saves_then_every_unit_of_the_recovery),
        cmocka_unit_test(test_a_block_of_usual_size),
        cmocka_unit_test(test_parts_that_are_busy_or_put_off),
        cmocka_unit_test(test_parts_whose_erased_units_cannot_be_read),
        cmocka_unit_test(test_units_that_arrive_in_any_order),
        cmocka_unit_test(test_a_third_slot),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
