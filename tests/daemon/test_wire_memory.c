/* Each allocation of jansson fails once: no crash, no leak (the sanitizers look), and never half a document. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "wire/buffer.h"
#include "wire/document.h"
#include "wire/json.h"
#include "wire/parse.h"

static int allocations_left;

/* From then on nothing. */
static void *scarce_malloc(size_t size)
{
    return allocations_left-- > 0 ? malloc(size) : NULL;
}

/* Memory that comes back. */
static void *once_failing_malloc(size_t size)
{
    return allocations_left-- != 0 ? malloc(size) : NULL;
}

static void allocate_with(json_malloc_t function)
{
    json_set_alloc_funcs(function, free);
    wire_parse_begin();
}

static int tear_down(void **state)
{
    (void)state;
    json_set_alloc_funcs(malloc, free);
    return 0;
}

static void test_buffers(void **state)
{
    static const char json[] = "{\"data\":[1,2,3,4.00000000000000000000001],\"boot\":\"a\",\"context\":{\"t\":1}}";
    static const struct wire_shape shape = { .buffer_size = 2, .axes = 2, .scale = 1.0f, .encoding = ENCODING_JSON };
    int r = -1;

    (void)state;
    allocate_with(scarce_malloc);
    for (int allowed = 0; r != 0; allowed++) {
        struct wire_buffers buffers = { 0 };
        struct refusal refusal = { 0 };

        allocations_left = allowed;
        r = wire_decode(&shape, json, strlen(json), NULL, &buffers, &refusal);
        assert_true(r == 0 || r == -ENOMEM);
        wire_buffers_free(&buffers);
    }
}

static void test_documents(void **state)
{
    static const struct verdict verdict = { .status = VERDICT_OK,
                                            .detection = { .axes = 3,
                                                           .constant = 1,
                                                           .reasons = 1,
                                                           .reason = { { .kind = "band", .in_hz = true, .to = 5 } } } };
    struct machine_view view = { .id = "a", .knowledge_size = 1, .last = verdict };
    char *text = NULL;

    (void)state;
    view.last.at = 1;
    allocate_with(scarce_malloc);
    for (int allowed = 0; !text; allowed++) {
        allocations_left = allowed;
        text = wire_machine(&view, true);
    }
    assert_int_equal(text[strlen(text) - 1], '}');
    assert_non_null(strstr(text, "\"last\":{\"status\":\"ok\""));
    free(text);
}

/* What was missing meanwhile must not be missing in the text. */
static void test_settings_while_memory_is_short(void **state)
{
    struct settings settings;
    char *text, *whole;
    int before = 0;

    (void)state;
    settings_default(&settings);
    whole = wire_settings(&settings, ORIGIN_DEFAULT);
    allocate_with(once_failing_malloc);
    do {
        allocations_left = before++;
        text = wire_settings(&settings, ORIGIN_DEFAULT);
        if (text)
            assert_string_equal(text, whole);
        free(text);
    } while (allocations_left < 0); /* until nothing failed */
    free(whole);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_buffers, tear_down),
        cmocka_unit_test_teardown(test_documents, tear_down),
        cmocka_unit_test_teardown(test_settings_while_memory_is_short, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
