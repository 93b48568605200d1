/* Every door that takes JSON gives every vector the same verdict, wherever it stands in a document. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "json_vectors.h"
#include "record/mute.h"
#include "record/settings.h"
#include "record/snapshot.h"
#include "wire/buffer.h"
#include "wire/command.h"
#include "wire/document.h"
#include "wire/json.h"

/* ------------------------------------------------------------------------------------------------------------ the doors */

static int read_any(const void *bytes, size_t size, struct refusal *refusal)
{
    json_t *root;
    int r = wire_load(bytes, size, &root, refusal);

    if (r == 0)
        json_decref(root);
    return r;
}

static int read_buffer(const void *bytes, size_t size, struct refusal *refusal)
{
    static const struct wire_shape shape = { .encoding = ENCODING_JSON, .buffer_size = 2, .axes = 2, .scale = 1.0f };
    struct wire_buffers buffers;
    int r = wire_decode(&shape, bytes, size, NULL, &buffers, refusal);

    if (r == 0)
        wire_buffers_free(&buffers);
    return r;
}

static int read_line(const void *bytes, size_t size, struct refusal *refusal)
{
    struct wire_line *line;
    int r = wire_line_read(bytes, size, NULL, &line, refusal);

    if (r == 0)
        wire_line_free(line);
    return r;
}

static int read_context(const void *bytes, size_t size, struct refusal *refusal)
{
    struct wire_meta meta = { .context_count = 0 };

    return wire_decode_context(bytes, size, &meta, refusal);
}

static int read_command(const void *bytes, size_t size, struct refusal *refusal)
{
    char *id, *rest;
    int r = wire_take_command(bytes, size, &id, &rest, refusal);

    free(id);
    free(rest);
    return r;
}

static int read_settings(const void *bytes, size_t size, struct refusal *refusal)
{
    struct settings settings, base;

    settings_default(&settings);
    settings_default(&base);
    return wire_read_settings(bytes, size, &settings, &base, ORIGIN_REST, refusal);
}

static int read_sensitivity(const void *bytes, size_t size, struct refusal *refusal)
{
    float sensitivity;

    return wire_read_sensitivity(bytes, size, &sensitivity, refusal);
}

static int read_mute(const void *bytes, size_t size, struct refusal *refusal)
{
    struct mute mute;

    memset(&mute, 0, sizeof(mute));
    return wire_read_mute(bytes, size, 1000, &mute, refusal);
}

static int read_note(const void *bytes, size_t size, struct refusal *refusal)
{
    char note[SNAPSHOT_NOTE_SIZE];

    return wire_read_note(bytes, size, note, refusal);
}

static int read_token(const void *bytes, size_t size, struct refusal *refusal)
{
    char token[128];

    return wire_read_token(bytes, size, token, sizeof(token), refusal);
}

/* What a door says of a vector that is read, in this place. */
enum place {
    TAKEN,    /* 0: anything may be there */
    DOCUMENT, /* 0 for an array or an object; else syntax */
    NUMBER,   /* 0 for a number; else syntax */
    REFUSED,  /* a refusal that is not about syntax */
};

static const struct door {
    const char *name;
    int (*read)(const void *bytes, size_t size, struct refusal *refusal);
    const char *before, *behind;
    enum place place;
} doors[] = {
    { "a document", read_any, "", "", DOCUMENT },
    { "a field of a buffer", read_buffer, "{\"data\":[1,2,3,4],\"x\":", "}", TAKEN },
    { "a field before the numbers", read_buffer, "{\"x\":", ",\"data\":[1,2,3,4]}", TAKEN },
    { "first in a buffer", read_buffer, "[", ",2,3,4]", NUMBER },
    { "last in a buffer", read_buffer, "{\"data\":[1,2,3,", "],\"seq\":1}", NUMBER },
    { "a context beside a buffer", read_buffer, "{\"data\":[1,2,3,4],\"context\":{\"t\":", "}}", NUMBER },
    { "a context", read_context, "{\"t\":", "}", NUMBER },
    { "a line", read_line, "{\"machine\":\"m\",\"data\":[1,2,3,4],\"x\":", "}", TAKEN },
    { "a command", read_command, "{\"id\":1,\"x\":", "}", TAKEN },
    { "a setting", read_settings, "{\"x\":", "}", REFUSED },
    { "sensitivity", read_sensitivity, "{\"x\":", "}", REFUSED },
    { "maintenance", read_mute, "{\"x\":", "}", REFUSED },
    { "a note", read_note, "{\"x\":", "}", REFUSED },
    { "a login", read_token, "{\"x\":", "}", REFUSED },
};

/* ------------------------------------------------------------------------------------------------------------ the verdicts */

static bool is_number(const struct json_vector *vector)
{
    return strncmp(vector->name + 2, "number_", 7) == 0;
}

static bool is_document(const struct json_vector *vector)
{
    const char *text = vector->text + strspn(vector->text, " \t\r\n");

    return *text == '[' || *text == '{';
}

static bool is_right(const struct door *door, const struct json_vector *vector, int verdict)
{
    if (vector->verdict != 0)
        return verdict == vector->verdict;
    switch (door->place) {
    case TAKEN:
        return verdict == 0;
    case DOCUMENT:
        return verdict == (is_document(vector) ? 0 : REFUSAL_SYNTAX);
    case NUMBER:
        return verdict == (is_number(vector) ? 0 : REFUSAL_SYNTAX);
    case REFUSED:
        return verdict > 0 && verdict != REFUSAL_SYNTAX && verdict != REFUSAL_NOT_FINITE;
    }
    return false;
}

/* In memory of its very size, so that a sanitizer sees a step beyond it. */
static void try_vector(const struct door *door, const struct json_vector *vector)
{
    size_t before = strlen(door->before), behind = strlen(door->behind), size = before + vector->size + behind;
    char *text = malloc(size > 0 ? size : 1);
    struct refusal refusal = { .code = REFUSAL_NONE };
    int r;

    assert_non_null(text);
    memcpy(text, door->before, before);
    memcpy(text + before, vector->text, vector->size);
    memcpy(text + before + vector->size, door->behind, behind);
    r = door->read(text, size, &refusal);
    free(text);
    if (!is_right(door, vector, r))
        fail_msg("%s as %s: %d (%s)", vector->name, door->name, r, refusal.detail);
    if (r != 0 && refusal.detail[0] == '\0')
        fail_msg("%s as %s is refused without a word", vector->name, door->name);
}

static void test_every_vector_at_every_door(void **state)
{
    (void)state;
    for (size_t d = 0; d < sizeof(doors) / sizeof(doors[0]); d++)
        for (size_t v = 0; v < JSON_VECTORS; v++)
            try_vector(&doors[d], &json_vectors[v]);
}

/* The first letter says what the verdict is; each name comes once. */
static void test_names(void **state)
{
    (void)state;
    for (size_t v = 0; v < JSON_VECTORS; v++) {
        const struct json_vector *vector = &json_vectors[v];

        if ((vector->name[0] == 'y' && vector->verdict != 0) || (vector->name[0] == 'n' && vector->verdict == 0))
            fail_msg("%s", vector->name);
        for (size_t other = v + 1; other < JSON_VECTORS; other++)
            assert_string_not_equal(vector->name, json_vectors[other].name);
    }
}

/* Each prefix of what is read is no document, whichever vector it was. */
static void test_cut_anywhere(void **state)
{
    (void)state;
    for (size_t v = 0; v < JSON_VECTORS; v++) {
        const struct json_vector *vector = &json_vectors[v];
        size_t whole = vector->size;

        while (whole > 0 && strchr(" \t\r\n", vector->text[whole - 1]))
            whole--;
        for (size_t size = 0; vector->verdict == 0 && is_document(vector) && size < whole; size++)
            if (read_any(vector->text, size, NULL) != REFUSAL_SYNTAX)
                fail_msg("%s, cut to %zu bytes", vector->name, size);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_vector_at_every_door),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_cut_anywhere),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
