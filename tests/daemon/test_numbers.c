/* The direct reader of numbers beside jansson: whatever the text, the outcome is the same, and of what is taken every bit. */
#include <inttypes.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "wire/buffer_json.h"
#include "wire/json.h"

/* ----------------------------------------------------------------------------------------------------------- the judge */

static json_t *follow(json_t *value, const char *path)
{
    char names[64], *rest = names, *name;

    if (json_is_array(value) && strcmp(path, "data") == 0)
        return value;
    snprintf(names, sizeof(names), "%s", path);
    while (value && (name = strsep(&rest, ".")))
        value = json_object_get(value, name);
    return value;
}

static void expect_numbers(const char *text, json_t *array, const struct numbers *numbers)
{
    assert_true(json_is_array(array));
    assert_int_equal(json_array_size(array), numbers->count);
    for (size_t i = 0; i < numbers->count; i++) {
        const float wanted = (float)json_number_value(json_array_get(array, i));

        if (memcmp(&wanted, &numbers->values[i], sizeof(wanted)) != 0)
            fail_msg("%.200s: number %zu is %.9g, not %.9g", text, i, (double)numbers->values[i], (double)wanted);
    }
}

/* Returns whether the numbers were read directly. */
static bool compare(const char *text, size_t size, const char *path)
{
    struct refusal refusal = { 0 }, expected = { 0 };
    struct json_buffer document;
    json_t *root = NULL;
    int wanted = wire_load(text, size, &root, &expected), r = json_buffer_load(text, size, path, &document, &refusal);
    bool direct = r == 0 && document.numbers.values;

    if (r != wanted || strcmp(refusal.detail, expected.detail) != 0)
        fail_msg("%.*s: %d (%s), not %d (%s)", (int)(size < 300 ? size : 300), text, r, refusal.detail, wanted,
                 expected.detail);
    if (direct) {
        json_t *array = follow(root, path);

        expect_numbers(text, array, &document.numbers);
        json_array_clear(array);
        assert_true(document.root ? json_equal(document.root, root) : root == array);
    } else if (r == 0) {
        assert_true(json_equal(document.root, root));
    }
    if (r == 0)
        json_buffer_free(&document);
    json_decref(root);
    return direct;
}

/* -------------------------------------------------------------------------------------------------------------- chance */

static uint64_t seed = 1;

static uint64_t random_bits(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

static size_t random_below(size_t count)
{
    return (size_t)(random_bits() >> 11) % count;
}

/* ------------------------------------------------------------------------------------------------------------ documents */

static const struct {
    const char *text, *path;
    bool direct;
} documents[] = {
    { "[1,2,3]", "data", true },
    { " [ 1 , -2.5e3\t,\n3 ] ", "data", true },
    { "{\"data\":[1,2]}", "data", true },
    { "{\"seq\":7,\"data\":[1,2],\"context\":{\"t\":[1,{\"data\":[5]}]}}", "data", true },
    { "{\"x\":\"a]}\\\"\",\"data\":[1,2]}", "data", true },
    { "{\"accel\":{\"unit\":\"g\",\"samples\":[1,2]},\"samples\":[3]}", "accel.samples", true },
    { "{\"\\u0064ata\":[3],\"x\":[1,2]}", "data", false }, /* jansson knows that this is data */
    { "{\"data\":[1,2],\"data\":[3]}", "data", false },
    { "{\"data\":[1,2],\"\\u0064ata\":[3]}", "data", false },
    { "{\"x\":{\"data\":[1]},\"data\":[2]}", "data", true },
    { "{\"x\":[}],\"data\":[1,2]}", "data", false },
    { "{\"x\":[\"],\"data\":[1,2]}", "data", false },
    { "{\"x\":1 2,\"data\":[1,2]}", "data", false },
    { "{\"x\":,\"data\":[1,2]}", "data", false },
    { "{\"x\":tru,\"data\":[1,2]}", "data", false },
    { "{\"x\":\"\\", "data", false },
    { "{\"data\":[1,2]", "data", false },
    { "{\"data\":[1,2]}}", "data", false },
    { "{\"data\":[1,2],}", "data", false },
    { "{\"data\":[1,2]}[", "data", false },
    { "[1,2]x", "data", false },
    { "[1,2] ,", "data", false },
    { "[1,2,]", "data", false },
    { "[,1]", "data", false },
    { "[]", "data", false },
    { "[1 2]", "data", false },
    { "[[1],2]", "data", false },
    { "[1,\"2\"]", "data", false },
    { "[1,null]", "data", false },
    { "", "data", false },
    { " ", "data", false },
    { "[", "data", false },
    { "{", "data", false },
    { "{\"data\"", "data", false },
    { "{\"data\":", "data", false },
    { "5", "data", false },
    { "\"data\"", "data", false },
    { "\xef\xbb\xbf[1]", "data", false },
    { "{\"data\":[1],\"x\":\"\xff\"}", "data", false },
    { "{\"data\":[1],\"x\":[[[[[[[[[]]]]]]]]]}", "data", false },
};

static void test_documents(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(documents) / sizeof(documents[0]); i++)
        if (compare(documents[i].text, strlen(documents[i].text), documents[i].path) != documents[i].direct)
            fail_msg("%s: %s", documents[i].text, documents[i].direct ? "left to jansson" : "not left to jansson");
}

static void test_documents_cut_anywhere(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(documents) / sizeof(documents[0]); i++)
        for (size_t size = 0; size < strlen(documents[i].text); size++) {
            char *part = malloc(size + 1); /* no byte more: sanitizers see who reads on */

            memcpy(part, documents[i].text, size);
            part = realloc(part, size > 0 ? size : 1);
            compare(part, size, documents[i].path);
            free(part);
        }
}

#if __has_include("json_vectors.h")
#include "json_vectors.h"

/* Every value at every place: beside the numbers, as one of them, instead of them, and in a name's place. */
static void test_vectors(void **state)
{
    static const char *const places[][2] = { { "[1,", ",2]" },
                                             { "", "" },
                                             { "{\"data\":", "}" },
                                             { "{\"data\":[1,2],\"x\":", "}" },
                                             { "{\"x\":", ",\"data\":[1,2]}" },
                                             { "{", ":1,\"data\":[1,2]}" },
                                             { "{\"data\":[1,2,", "],\"seq\":3}" } };

    (void)state;
    for (size_t i = 0; i < JSON_VECTORS; i++)
        for (size_t place = 0; place < sizeof(places) / sizeof(places[0]); place++) {
            const struct json_vector *vector = &json_vectors[i];
            size_t before = strlen(places[place][0]), after = strlen(places[place][1]),
                   size = before + vector->size + after;
            char *text = malloc(size + 1);

            memcpy(text, places[place][0], before);
            memcpy(text + before, vector->text, vector->size);
            memcpy(text + before + vector->size, places[place][1], after + 1);
            compare(text, size, "data");
            free(text);
        }
}
#endif

/* Bytes changed, taken out and doubled. */
static void test_documents_mutated(void **state)
{
    static const char alphabet[] = "[]{},:\"\\0123456789.-+eE \n\tdatx\x01\xc3";

    (void)state;
    for (int round = 0; round < 200000; round++) {
        const char *from = documents[random_below(8)].text, *path = documents[random_below(8)].path;
        char text[256];
        size_t size = strlen(from);

        memcpy(text, from, size + 1);
        for (size_t changes = 1 + random_below(3); changes > 0; changes--) {
            size_t at = random_below(size), kind = random_below(3);

            if (kind == 0)
                text[at] = alphabet[random_below(sizeof(alphabet))]; /* its NUL too */
            else if (kind == 1 && size > 1)
                memmove(text + at, text + at + 1, --size - at);
            else
                memmove(text + at + 1, text + at, size++ - at);
        }
        compare(text, size, path);
    }
}

/* -------------------------------------------------------------------------------------------------------------- numbers */

static bool compare_number(const char *number)
{
    char text[400];
    int size = snprintf(text, sizeof(text), "[%s]", number);

    return compare(text, (size_t)size, "data");
}

static void test_numbers(void **state)
{
    static const char *const direct[] = {
        "0",
        "-0",
        "-0.0",
        "0e5",
        "0.000e-99",
        "1",
        "-1",
        "10",
        "1.0",
        "1e5",
        "1E+5",
        "1e-5",
        "0.1",
        "123456789012345678",
        "1.23e22",
        "9007199254740993",
        "16777217",
        "16777216.5",
        "16777217.000000001",
        "0.30000000000000004",
        "1e-44",
        "1.4e-45",
        "7e-46",
        "1e-320",
        "4.9e-324",
        "1e-999",
        "1e38",
        "-1e38",
        "9223372036854775808",
        "18446744073709551616",
        "184467440737095516160",
        "0.000000000000000000000000000000000000011754943508222875",
        "1.00000005960464477539062500001",
        "0.10000000149011612",
        "3.402823466e37",
    };
    static const char *const left[] = { "01",   "+1",    ".5",    "5.",       "1e",        "1e+",   "-",      "--1",
                                        "0x10", "1_000", "NaN",   "Infinity", "-Infinity", "1e999", "-1e999", "1.1e38",
                                        "1e39", "1 2",   "1.2.3", "1e5.5",    "00",        "-01",   "1f",     "\"1\"" };

    (void)state;
    for (size_t i = 0; i < sizeof(direct) / sizeof(direct[0]); i++)
        if (!compare_number(direct[i]))
            fail_msg("%s was left to jansson", direct[i]);
    for (size_t i = 0; i < sizeof(left) / sizeof(left[0]); i++)
        if (compare_number(left[i]))
            fail_msg("%s was not left to jansson", left[i]);
}

/* Floats of all sizes, printed in all ways; and what lies in the middle between two, or just beside it. */
static void test_numbers_by_chance(void **state)
{
    (void)state;
    for (int round = 0; round < 300000; round++) {
        uint32_t bits = (uint32_t)random_bits();
        double number, middle;
        float value;
        char text[400];

        memcpy(&value, &bits, sizeof(value));
        if (!isfinite(value) || fabsf(value) > 1e37f)
            continue;
        number = (double)value;
        middle = (number + (double)nextafterf(value, INFINITY)) / 2;
        snprintf(text, sizeof(text), "%.*g", (int)(1 + random_below(20)), number);
        assert_true(compare_number(text));
        snprintf(text, sizeof(text), "%.*f", (int)random_below(12), fmod(number, 1e9));
        assert_true(compare_number(text));
        snprintf(text, sizeof(text), "%.*e", (int)(12 + random_below(30)),
                 round % 3 == 0 ? middle : nextafter(middle, round % 3 == 1 ? 1e38 : -1e38));
        assert_true(compare_number(text));
        snprintf(text, sizeof(text), "%" PRIu64 "e%d", random_bits() >> random_below(60), (int)random_below(40) - 60);
        assert_true(compare_number(text));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#if __has_include("json_vectors.h")
        cmocka_unit_test(test_vectors),
#endif
        cmocka_unit_test(test_documents),
        cmocka_unit_test(test_documents_cut_anywhere),
        cmocka_unit_test(test_documents_mutated),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_numbers_by_chance),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
