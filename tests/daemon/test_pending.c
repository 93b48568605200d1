/* IDs that send but are not known: bounded, in order, the quietest makes room. */
#include "support.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "registry/pending.h"

static const char *name(char *text, unsigned int number)
{
    snprintf(text, MACHINE_ID_SIZE, "m%05u", number);
    return text;
}

static size_t count_of(struct pending_list *list)
{
    uint64_t dropped;

    return pending_count(list, &dropped);
}

static void test_what_is_noted(void **state)
{
    struct pending_list *list = pending_new();
    struct pending found;

    (void)state;
    assert_non_null(list);
    assert_false(pending_find(list, "fan", &found));
    pending_note(list, "fan", "habit/v1/gw/fan/buffer", 3072, FORMAT_F32, 1000);
    pending_note(list, "fan", "habit/v1/gw/fan/learn", 1536, FORMAT_I16, 5000);
    assert_true(pending_find(list, "fan", &found));
    assert_string_equal(found.id, "fan");
    assert_string_equal(found.topic, "habit/v1/gw/fan/learn"); /* the last message's */
    assert_int_equal(found.bytes, 1536);
    assert_int_equal(found.format, FORMAT_I16);
    assert_int_equal(found.count, 2);
    assert_int_equal(found.first, 1000);
    assert_int_equal(found.last, 5000);
    assert_false(pending_find(list, "Fan", &found));
    assert_false(pending_find(list, "fa", &found));
    assert_false(pending_find(list, "fan2", &found));
    pending_remove(list, "fan2");
    assert_int_equal(count_of(list), 1);
    pending_remove(list, "fan");
    pending_remove(list, "fan");
    assert_int_equal(count_of(list), 0);
    assert_false(pending_find(list, "fan", &found));
    pending_note(list, "fan", "t", 1, FORMAT_F32, 9000); /* nothing of before */
    assert_true(pending_find(list, "fan", &found));
    assert_int_equal(found.count, 1);
    assert_int_equal(found.first, 9000);
    assert_null(pending_free(list));
    assert_null(pending_free(NULL));
}

static void test_long_texts_are_cut(void **state)
{
    struct pending_list *list = pending_new();
    char id[MACHINE_ID_SIZE], topic[1000];
    struct pending found;

    (void)state;
    memset(id, 'i', sizeof(id));
    id[sizeof(id) - 1] = '\0';
    memset(topic, 't', sizeof(topic));
    topic[sizeof(topic) - 1] = '\0';
    pending_note(list, id, topic, 1, FORMAT_F32, 1);
    assert_true(pending_find(list, id, &found));
    assert_string_equal(found.id, id);
    assert_int_equal(strlen(found.topic), sizeof(found.topic) - 1);
    pending_free(list);
}

/* T41, small: however many IDs come, the list stays, and what was dropped is counted. */
static void test_bound(void **state)
{
    struct pending_list *list = pending_new();
    char id[MACHINE_ID_SIZE];
    uint64_t dropped;

    (void)state;
    for (unsigned int i = 0; i < 10000; i++) {
        pending_note(list, name(id, i * 7919 % 10000), "t", 1, FORMAT_F32, i);
        assert_int_equal(pending_count(list, &dropped), i < LIMIT_PENDING ? i + 1 : LIMIT_PENDING);
        assert_int_equal(dropped, i < LIMIT_PENDING ? 0 : i + 1 - LIMIT_PENDING);
    }
    pending_free(list);
}

static void test_the_quietest_makes_room(void **state)
{
    struct pending_list *list = pending_new();
    char id[MACHINE_ID_SIZE];
    struct pending found;

    (void)state;
    for (unsigned int i = 0; i < LIMIT_PENDING; i++)
        pending_note(list, name(id, i), "t", 1, FORMAT_F32, 1000 + i);
    pending_note(list, name(id, 0), "t", 1, FORMAT_F32, 5000); /* the first came again: the second is quietest now */
    pending_note(list, "new", "t", 1, FORMAT_F32, 5001);
    assert_true(pending_find(list, name(id, 0), &found));
    assert_false(pending_find(list, name(id, 1), &found));
    assert_true(pending_find(list, name(id, 2), &found));
    assert_true(pending_find(list, "new", &found));
    pending_note(list, name(id, 3), "t", 1, FORMAT_F32, 6000); /* one that is there drops nobody */
    assert_true(pending_find(list, name(id, 2), &found));
    assert_int_equal(count_of(list), LIMIT_PENDING);
    pending_free(list);
}

static void test_order_and_pages(void **state)
{
    static const char *const ids[] = { "b", "a", "B", "a-1", "a_1", "Z9", "0", "aa", "a1", "b0" };
    static const char *const sorted[] = { "0", "B", "Z9", "a", "a-1", "a1", "a_1", "aa", "b", "b0" };
    struct pending_list *list = pending_new();
    struct pending page[COUNT(ids) + 1];

    (void)state;
    assert_int_equal(pending_take_page(list, "", page, COUNT(page)), 0);
    for (size_t i = 0; i < COUNT(ids); i++)
        pending_note(list, ids[i], "t", 1, FORMAT_F32, 1);
    for (size_t size = 1; size <= COUNT(page); size++) {
        const char *after = "";
        char last[MACHINE_ID_SIZE];
        size_t seen = 0, count;

        while ((count = pending_take_page(list, after, page, size)) > 0) {
            assert_true(count <= size);
            for (size_t i = 0; i < count; i++)
                assert_string_equal(page[i].id, sorted[seen++]);
            snprintf(last, sizeof(last), "%s", page[count - 1].id);
            after = last;
        }
        assert_int_equal(seen, COUNT(ids));
    }
    assert_int_equal(pending_take_page(list, "a0", page, 1), 1); /* after one that is not there */
    assert_string_equal(page[0].id, "a1");
    assert_int_equal(pending_take_page(list, "b0", page, 1), 0);
    assert_int_equal(pending_take_page(list, "zzz", page, 1), 0);
    assert_int_equal(pending_take_page(list, "", page, 0), 0);
    assert_int_equal(count_of(list), COUNT(ids)); /* a page takes nothing away */
    pending_free(list);
}

/* ---------------------------------------------------------------------------------------------------------- threads */

enum { THREADS = 4, ROUNDS = 5000 };

struct worker {
    struct pending_list *list;
    uint64_t seed;
};

static void *work(void *user)
{
    struct worker *worker = user;

    for (int64_t i = 0; i < ROUNDS; i++) {
        struct pending page[8], found;
        char id[MACHINE_ID_SIZE];
        uint64_t dropped;

        name(id, chance_below(&worker->seed, 600));
        pending_note(worker->list, id, "t", 1, FORMAT_F32, i);
        if (pending_find(worker->list, id, &found) && strcmp(found.id, id) != 0)
            return (void *)1;
        for (size_t j = 1, count = pending_take_page(worker->list, id, page, 8); j < count; j++)
            if (strcmp(page[j - 1].id, page[j].id) >= 0)
                return (void *)1;
        if (chance_below(&worker->seed, 4) == 0)
            pending_remove(worker->list, id);
        if (pending_count(worker->list, &dropped) > LIMIT_PENDING)
            return (void *)1;
    }
    return NULL;
}

static void test_threads(void **state)
{
    struct pending_list *list = pending_new();
    struct worker workers[THREADS];
    pthread_t threads[THREADS];
    uint64_t seed = chance_seed();

    (void)state;
    for (size_t i = 0; i < THREADS; i++) {
        workers[i] = (struct worker){ .list = list, .seed = seed + i };
        assert_int_equal(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
    }
    for (size_t i = 0; i < THREADS; i++) {
        void *wrong;

        pthread_join(threads[i], &wrong);
        assert_null(wrong);
    }
    pending_free(list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_noted),   cmocka_unit_test(test_long_texts_are_cut),
        cmocka_unit_test(test_bound),           cmocka_unit_test(test_the_quietest_makes_room),
        cmocka_unit_test(test_order_and_pages), cmocka_unit_test(test_threads),
    };

    return cmocka_run_group_tests_name("pending", tests, NULL, NULL);
}
