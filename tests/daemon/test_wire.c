/* Buffers from bytes: what must be read, what must be refused and with which word. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "wire/buffer.h"
#include "wire/csv.h"
#include "wire/json.h"

/* Two samples of two axes. */
static const struct wire_shape small = { .buffer_size = 2, .axes = 2, .scale = 1.0f };

static int decode(const struct wire_shape *shape, const void *bytes, size_t size, struct wire_buffers *buffers,
                  struct refusal *refusal)
{
    memset(refusal, 0, sizeof(*refusal));
    memset(buffers, 0, sizeof(*buffers));
    return wire_decode(shape, bytes, size, NULL, buffers, refusal);
}

static int decode_json(const char *json, struct wire_buffers *buffers, struct refusal *refusal)
{
    struct wire_shape shape = small;

    shape.encoding = ENCODING_JSON;
    return decode(&shape, json, strlen(json), buffers, refusal);
}

static void expect_samples(const struct wire_buffers *buffers, const float *wanted, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!(fabsf(buffers->samples[i] - wanted[i]) <= 0.0f))
            fail_msg("sample %zu is %.9g, not %.9g", i, (double)buffers->samples[i], (double)wanted[i]);
}

/* --------------------------------------------------------------------------------------------------- JSON: accepted */

static void test_json_accepted(void **state)
{
    static const struct {
        const char *json;
        float wanted[4];
    } vectors[] = {
        { "[1,2,3,4]", { 1, 2, 3, 4 } },
        { " \r\n\t[ 1 , 2 , 3 , 4 ] \n", { 1, 2, 3, 4 } },
        { "{\"data\":[1,2,3,4]}", { 1, 2, 3, 4 } },
        { "{\"seq\":7,\"data\":[-0,0.5,1e2,-1.5E-1]}", { 0, 0.5f, 100, -0.15f } },
        { "[1e-999,4.9e-324,1e-320,1e-46]", { 0, 0, 0, 0 } },
        { "[1e15,-1e15,0,0]", { 1e15f, -1e15f, 0, 0 } },
        { "[123456789012345,16777217,0,0]", { 123456789012345.0f, 16777216, 0, 0 } },
        { "{\"data\":[1,2,3,4],\"unknown\":{\"a\":[{}]}}", { 1, 2, 3, 4 } },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
        struct wire_buffers buffers;
        struct refusal refusal;
        int r = decode_json(vectors[i].json, &buffers, &refusal);

        if (r != 0)
            fail_msg("%s: %s", vectors[i].json, refusal.detail);
        assert_int_equal(buffers.count, 1);
        expect_samples(&buffers, vectors[i].wanted, 4);
        wire_buffers_free(&buffers);
    }
}

/* ---------------------------------------------------------------------------------------------------- JSON: refused */

static const struct refused {
    const char *json;
    int code;
} refused[] = {
    /* no document, or more than one */
    { "", REFUSAL_SYNTAX },
    { "   ", REFUSAL_SYNTAX },
    { "null", REFUSAL_SYNTAX },
    { "5", REFUSAL_SYNTAX },
    { "\"x\"", REFUSAL_SYNTAX },
    { "[1,2,3,4][1,2,3,4]", REFUSAL_SYNTAX },
    { "[1,2,3,4]x", REFUSAL_SYNTAX },
    { "[1,2,3,4]]", REFUSAL_SYNTAX },
    { "\xef\xbb\xbf[1,2,3,4]", REFUSAL_SYNTAX },
    { "[1,2,3,4", REFUSAL_SYNTAX },
    { "[1,2,3,4,]", REFUSAL_SYNTAX },
    { "[1,,2,3,4]", REFUSAL_SYNTAX },
    { "[1 2,3,4]", REFUSAL_SYNTAX },
    { "/**/[1,2,3,4]", REFUSAL_SYNTAX },
    { "{'data':[1,2,3,4]}", REFUSAL_SYNTAX },
    { "{data:[1,2,3,4]}", REFUSAL_SYNTAX },
    /* numbers that are none */
    { "[NaN,2,3,4]", REFUSAL_SYNTAX },
    { "[Infinity,2,3,4]", REFUSAL_SYNTAX },
    { "[-Infinity,2,3,4]", REFUSAL_SYNTAX },
    { "[01,2,3,4]", REFUSAL_SYNTAX },
    { "[+1,2,3,4]", REFUSAL_SYNTAX },
    { "[.5,2,3,4]", REFUSAL_SYNTAX },
    { "[5.,2,3,4]", REFUSAL_SYNTAX },
    { "[0x10,2,3,4]", REFUSAL_SYNTAX },
    { "[1_000,2,3,4]", REFUSAL_SYNTAX },
    { "[1e,2,3,4]", REFUSAL_SYNTAX },
    { "[-,2,3,4]", REFUSAL_SYNTAX },
    /* numbers that are too large */
    { "[9223372036854775808,2,3,4]", REFUSAL_NOT_FINITE }, /* 2^63: for its size, not for its form */
    { "[1e999,2,3,4]", REFUSAL_NOT_FINITE },
    { "[-1e999,2,3,4]", REFUSAL_NOT_FINITE },
    { "[3.5e38,2,3,4]", REFUSAL_NOT_FINITE },
    { "[1,2,3,1e39]", REFUSAL_NOT_FINITE },
    { "[1,2,3,-1e300]", REFUSAL_NOT_FINITE },
    { "[1,2,3,1.0001e15]", REFUSAL_NOT_FINITE },
    /* things that are no numbers */
    { "[null,2,3,4]", REFUSAL_SYNTAX },
    { "[true,2,3,4]", REFUSAL_SYNTAX },
    { "[\"1\",2,3,4]", REFUSAL_SYNTAX },
    { "[\"NaN\",2,3,4]", REFUSAL_SYNTAX },
    { "[[1],2,3,4]", REFUSAL_SYNTAX },
    { "[{},2,3,4]", REFUSAL_SYNTAX },
    /* data */
    { "{}", REFUSAL_SYNTAX },
    { "{\"vales\":[1,2,3,4]}", REFUSAL_SYNTAX },
    { "{\"data\":5}", REFUSAL_SYNTAX },
    { "{\"data\":{}}", REFUSAL_SYNTAX },
    { "{\"data\":[1,2,3,4],\"data\":[1,2,3,4]}", REFUSAL_SYNTAX },
    { "[]", REFUSAL_LENGTH },
    { "[1]", REFUSAL_LENGTH },
    { "[1,2,3]", REFUSAL_LENGTH },
    { "[1,2,3,4,5]", REFUSAL_LENGTH },
    { "[1,2,3,4,5,6]", REFUSAL_LENGTH },
    /* texts */
    { "{\"data\":[1,2,3,4],\"source\":\"a\\u0000b\"}", REFUSAL_SYNTAX },
    { "{\"data\":[1,2,3,4],\"source\":\"\\ud800\"}", REFUSAL_SYNTAX },
    { "{\"data\":[1,2,3,4],\"source\":\"\xff\"}", REFUSAL_SYNTAX },
    { "{\"data\":[1,2,3,4],\"source\":\"a\nb\"}", REFUSAL_SYNTAX },
    { "{\"data\":[1,2,3,4],\"source\":\"a\\nb\"}", REFUSAL_RANGE },
    { "{\"data\":[1,2,3,4],\"source\":\"\"}", REFUSAL_RANGE },
    { "{\"data\":[1,2,3,4],\"source\":\"123456789012345678901234567890123\"}", REFUSAL_RANGE },
    { "{\"data\":[1,2,3,4],\"boot\":5}", REFUSAL_RANGE },
    { "{\"data\":[1,2,3,4],\"boot\":null}", REFUSAL_RANGE },
    /* seq, age, time */
    { "{\"data\":[1,2,3,4],\"seq\":-1}", REFUSAL_RANGE },
    { "{\"data\":[1,2,3,4],\"seq\":1.5}", REFUSAL_RANGE },
    { "{\"data\":[1,2,3,4],\"seq\":\"7\"}", REFUSAL_RANGE },
    { "{\"data\":[1,2,3,4],\"seq\":9007199254740992}", REFUSAL_RANGE },
    { "{\"data\":[1,2,3,4],\"seq\":9007199254740993}", REFUSAL_RANGE },
    { "{\"data\":[1,2,3,4],\"age_ms\":-5}", REFUSAL_RANGE },
    { "{\"data\":[1,2,3,4],\"time\":\"yesterday\"}", REFUSAL_RANGE },
    { "{\"data\":[1,2,3,4],\"time\":\"2026-02-31T00:00:00Z\"}", REFUSAL_RANGE },
    { "{\"data\":[1,2,3,4],\"time\":1e18}", REFUSAL_RANGE },
    { "{\"data\":[1,2,3,4],\"time\":true}", REFUSAL_RANGE },
    /* context */
    { "{\"data\":[1,2,3,4],\"context\":[1]}", REFUSAL_SYNTAX },
    { "{\"data\":[1,2,3,4],\"context\":{\"t\":\"1\"}}", REFUSAL_SYNTAX },
    { "{\"data\":[1,2,3,4],\"context\":{\"\":1}}", REFUSAL_RANGE },
    { "{\"data\":[1,2,3,4],\"context\":{\"a\":1,\"b\":1,\"c\":1,\"d\":1,\"e\":1,\"f\":1,\"g\":1,\"h\":1,\"i\":1}}",
      REFUSAL_RANGE },
    /* depth: 9 levels, of which the deepest could not be data anyway */
    { "{\"data\":[1,2,3,4],\"x\":[[[[[[[[]]]]]]]]}", REFUSAL_SYNTAX },
};

static void test_json_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        struct wire_buffers buffers;
        struct refusal refusal;
        int r = decode_json(refused[i].json, &buffers, &refusal);

        if (r != refused[i].code)
            fail_msg("%s: %d (%s), not %d", refused[i].json, r, refusal.detail, refused[i].code);
        assert_int_equal(refusal.code, refused[i].code);
        assert_true(refusal.detail[0] != '\0');
        assert_null(buffers.samples);
    }
}

static void test_json_cut_anywhere(void **state)
{
    const char *whole = "{\"data\":[1.5,2,3,4],\"seq\":7,\"time\":\"2026-11-22T13:19:31Z\",\"context\":{\"t\":1}}";

    (void)state;
    for (size_t size = 0; size < strlen(whole); size++) {
        char *part = strndup(whole, size);
        struct wire_buffers buffers;
        struct refusal refusal;

        assert_int_equal(decode_json(part, &buffers, &refusal), REFUSAL_SYNTAX);
        free(part);
    }
}

static void test_json_meta(void **state)
{
    const char *json =
        "{\"data\":[1,2,3,4,5,6,7,8],\"seq\":9007199254740991,\"boot\":\"a1\",\"source\":\"esp\",\"mood\":1,"
        "\"time\":\"2026-11-22T14:19:31.25+01:00\",\"age_ms\":5,\"context\":{\"load\":0.5,\"t\":61.5}}";
    struct wire_buffers buffers;
    struct refusal refusal;

    (void)state;
    assert_int_equal(decode_json(json, &buffers, &refusal), 0);
    assert_int_equal(buffers.count, 2);
    assert_true(buffers.meta.has_seq && buffers.meta.has_time && buffers.meta.has_age);
    assert_true(buffers.meta.seq == 9007199254740991u);
    assert_true(buffers.meta.time == 1795353571250);
    assert_int_equal(buffers.meta.age_ms, 5);
    assert_string_equal(buffers.meta.boot, "a1");
    assert_string_equal(buffers.meta.source, "esp");
    assert_int_equal(buffers.meta.ignored, 1);
    assert_int_equal(buffers.meta.context_count, 2);
    assert_string_equal(buffers.meta.context[1].name, "t");
    assert_true(fabs(buffers.meta.context[1].value - 61.5) <= 0);
    wire_buffers_free(&buffers);
}

static void test_json_path(void **state)
{
    const char *json = "{\"accel\":{\"samples\":[1,2,3,4],\"unit\":\"g\"},\"seq\":3,\"data\":5}";
    struct wire_shape shape = small;
    struct wire_buffers buffers;
    struct refusal refusal;

    (void)state;
    shape.encoding = ENCODING_JSON;
    shape.json_path = "accel.samples";
    assert_int_equal(decode(&shape, json, strlen(json), &buffers, &refusal), 0);
    assert_int_equal(buffers.meta.ignored, 1);
    assert_int_equal(buffers.meta.seq, 3);
    wire_buffers_free(&buffers);
    shape.json_path = "accel.values";
    assert_int_equal(decode(&shape, json, strlen(json), &buffers, &refusal), REFUSAL_SYNTAX);
    assert_string_equal(refusal.field, "accel.values");
    assert_int_equal(decode(&shape, "[1,2,3,4]", 9, &buffers, &refusal), REFUSAL_SYNTAX);
}

/* "[0,0,...]" of so many numbers. */
static char *zeros(size_t count)
{
    char *text = malloc(count * 2 + 2);

    for (size_t i = 0; i < count; i++)
        memcpy(text + 1 + 2 * i, "0,", 2);
    text[0] = '[';
    memcpy(text + count * 2, "]", 2);
    return text;
}

static void test_json_limits(void **state)
{
    char *most = zeros(LIMIT_NUMBERS), *more = zeros(LIMIT_NUMBERS + 4), *many = zeros(LIMIT_NUMBERS * 4);
    char *deep = malloc(200001), *large = calloc(1, LIMIT_BODY + 1);
    struct wire_shape shape = small;
    struct wire_buffers buffers;
    struct refusal refusal;

    (void)state;
    shape.encoding = ENCODING_JSON;
    assert_int_equal(decode_json(most, &buffers, &refusal), 0);
    assert_int_equal(buffers.count, LIMIT_NUMBERS / 4);
    wire_buffers_free(&buffers);
    assert_int_equal(decode_json(more, &buffers, &refusal), REFUSAL_TOO_LARGE);
    assert_int_equal(refusal.limit, LIMIT_NUMBERS);
    assert_int_equal(decode_json(many, &buffers, &refusal), REFUSAL_TOO_LARGE);
    memset(deep, '[', 200000);
    deep[200000] = '\0';
    assert_int_equal(decode_json(deep, &buffers, &refusal), REFUSAL_SYNTAX);
    assert_int_equal(refusal.limit, LIMIT_JSON_DEPTH);
    memset(large, ' ', LIMIT_BODY + 1);
    assert_int_equal(decode(&shape, large, LIMIT_BODY + 1, &buffers, &refusal), REFUSAL_TOO_LARGE);
    assert_int_equal(refusal.limit, LIMIT_BODY);
    free(most), free(more), free(many), free(deep), free(large);
}

/* ------------------------------------------------------------------------------------------------------ raw and CSV */

static void test_raw(void **state)
{
    static const unsigned char f32[16] = { 0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0, 0, 0, 0, 0x3f, 0, 0, 0, 0 };
    static const unsigned char i16[8] = { 1, 0, 0xff, 0xff, 0xff, 0x7f, 0, 0x80 };
    static const unsigned char i16be[8] = { 0, 1, 0xff, 0xff, 0x7f, 0xff, 0x80, 0 };
    static const struct {
        uint32_t format;
        const unsigned char *bytes;
        size_t size;
        float wanted[4];
    } vectors[] = {
        { FORMAT_F32, f32, sizeof(f32), { 1, -2, 0.5f, 0 } },
        { FORMAT_I16, i16, sizeof(i16), { 1, -1, 32767, -32768 } },
        { FORMAT_I16BE, i16be, sizeof(i16be), { 1, -1, 32767, -32768 } },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
        struct wire_shape shape = small;
        struct wire_buffers buffers;
        struct refusal refusal;

        shape.format = vectors[i].format;
        for (size_t size = 0; size < vectors[i].size; size++)
            assert_int_equal(decode(&shape, vectors[i].bytes, size, &buffers, &refusal), REFUSAL_LENGTH);
        assert_int_equal(decode(&shape, vectors[i].bytes, vectors[i].size, &buffers, &refusal), 0);
        assert_int_equal(buffers.count, 1);
        expect_samples(&buffers, vectors[i].wanted, 4);
        wire_buffers_free(&buffers);
    }
}

static void test_raw_not_finite(void **state)
{
    const float bad[] = { NAN, INFINITY, -INFINITY, 1.1e15f };

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        float samples[4] = { 1, 2, bad[i], 4 };
        struct wire_buffers buffers;
        struct refusal refusal;

        assert_int_equal(decode(&small, samples, sizeof(samples), &buffers, &refusal), REFUSAL_NOT_FINITE);
        assert_non_null(strstr(refusal.detail, "data[2]"));
    }
}

/* 0.1f * 3 rounds up, so the sum differs from a fused one in the last bit. */
static void test_scale_rounds_twice(void **state)
{
    static const unsigned char i16[8] = { 3, 0, 1, 0, 2, 0, 0, 0 };
    struct wire_shape shape = small;
    struct wire_buffers buffers;
    struct refusal refusal;
    volatile float product = 3.0f * 0.1f;
    float wanted[4] = { product - 0.3f, 0.1f - 0.3f, 0.2f - 0.3f, -0.3f };

    (void)state;
    shape.format = FORMAT_I16;
    shape.scale = 0.1f;
    shape.offset = -0.3f;
    assert_int_equal(decode(&shape, i16, sizeof(i16), &buffers, &refusal), 0);
    expect_samples(&buffers, wanted, 4);
    wire_buffers_free(&buffers);
}

static void test_planar(void **state)
{
    const float wanted[8] = { 1, 3, 2, 4, 5, 7, 6, 8 };
    struct wire_shape shape = small;
    struct wire_buffers buffers;
    struct refusal refusal;

    (void)state;
    shape.encoding = ENCODING_JSON;
    shape.layout = LAYOUT_PLANAR;
    assert_int_equal(decode(&shape, "[1,2,3,4,5,6,7,8]", 17, &buffers, &refusal), 0);
    assert_int_equal(buffers.count, 2);
    expect_samples(&buffers, wanted, 8);
    wire_buffers_free(&buffers);
}

static void test_csv(void **state)
{
    static const struct {
        const char *text;
        int code;       /* 0: two rows of 1 -2.5 300 4 */
        const char *in; /* the detail of a refusal */
    } vectors[] = {
        { "1,-2.5,3e2,4\n1,-2.5,300,4\n", 0, "" },
        { "1,-2.5,3e2,4\r\n1,-2.5,300,4", 0, "" },
        { "1, -2.5, 3e2, 4\n1 ,-2.5 ,300,\t4\n\n", 0, "" },
        { "1;-2.5;3E+2;+4\n1;-2.5;300;4\n", 0, "" },
        { "1;-2,5;300;4\n1,0;-2,5;3e2;4\n", 0, "" },
        { "1\t-2.5\t300\t4\n1\t-2,5\t300\t4\n \n", 0, "" },
        { "  1 -2.5   300 4 \n1  -2.5 300 4\n", 0, "" },
        { "1,0 -2,5 300,0 4,0\n1 -2,5 300 4\n", 0, "" },
        { "1,-2.5,300,4,\n1,-2.5,300,4,\n", 0, "" },
        { "\xef\xbb\xbf"
          "1,-2.5,300,4\n1,-2.5,300,4\n",
          0, "" },
        { "", REFUSAL_LENGTH, "no line" },
        { "\n\n", REFUSAL_LENGTH, "no line" },
        { "1,2,3\n", REFUSAL_LENGTH, "line 1: 3 values, 4 expected" },
        { "1,2,3,4\n1,2,3,4,5\n", REFUSAL_LENGTH, "line 2: 5 values" },
        { "1,2,3,4\n\n1,2,3,4\n", REFUSAL_SYNTAX, "line 2 is empty" },
        { "x,y,z,w\n1,2,3,4\n", REFUSAL_SYNTAX, "line 1, column 1" },
        { "1,2,three,4\n", REFUSAL_SYNTAX, "line 1, column 3" },
        { "1,2,3,4\n1,2,,4\n", REFUSAL_SYNTAX, "line 2, column 3" },
        { "1,2,nan,4\n", REFUSAL_SYNTAX, "column 3" },
        { "1,2,inf,4\n", REFUSAL_SYNTAX, "column 3" },
        { "1,2,0x3,4\n", REFUSAL_SYNTAX, "column 3" },
        { "1,2,3;4\n", REFUSAL_SYNTAX, "column 1" },
        { "1,2,3,1e16\n", REFUSAL_NOT_FINITE, "line 1, column 4" },
        { "\"1\",2,3,4\n", REFUSAL_SYNTAX, "column 1" },
    };
    const float wanted[8] = { 1, -2.5f, 300, 4, 1, -2.5f, 300, 4 };

    (void)state;
    for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
        struct wire_shape shape = small;
        struct wire_buffers buffers;
        struct refusal refusal;
        int r;

        shape.encoding = ENCODING_CSV;
        r = decode(&shape, vectors[i].text, strlen(vectors[i].text), &buffers, &refusal);
        if (r != vectors[i].code || !strstr(refusal.detail, vectors[i].in))
            fail_msg("%s: %d (%s), not %d (%s)", vectors[i].text, r, refusal.detail, vectors[i].code, vectors[i].in);
        if (r == 0) {
            assert_int_equal(buffers.count, 2);
            expect_samples(&buffers, wanted, 8);
        }
        wire_buffers_free(&buffers);
    }
}

static void test_csv_header(void **state)
{
    const struct csv_options options = { .header = true };
    struct csv_table table;

    (void)state;
    assert_int_equal(csv_read("x;y\n1;2\n3;4\n", 12, &options, &table, NULL), 0);
    assert_int_equal(table.rows, 2);
    assert_int_equal(table.columns, 2);
    csv_free(&table);
    assert_int_equal(csv_read("1;2\n3;4\n", 8, &options, &table, NULL), 0);
    assert_int_equal(table.rows, 2);
    csv_free(&table);
    assert_int_equal(csv_read("x;y\n", 4, &options, &table, NULL), REFUSAL_LENGTH);
}

static void test_meta_from_text(void **state)
{
    static const struct {
        const char *name, *value;
        bool good;
    } vectors[] = {
        { "seq", "0", true },
        { "seq", "9007199254740991", true },
        { "seq", "9007199254740992", false },
        { "seq", "-1", false },
        { "seq", "1.5", false },
        { "seq", "0x1", false },
        { "seq", "", false },
        { "seq", "2026-11-22T13:19:31Z", false },
        { "age_ms", "250", true },
        { "time", "1795353571250", true },
        { "time", "2026-11-22T13:19:31Z", true },
        { "time", "253402300800000", false },
        { "time", "1900-01-01T00:00:00Z", false },
        { "source", "esp", true },
        { "boot", "a b", true },
        { "boot", "", false },
        { "boot", "a\tb", false },
        { "boot", "123456789012345678901234567890123", false },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
        struct wire_meta meta = { 0 };
        int r = wire_meta_set(&meta, vectors[i].name, vectors[i].value, NULL);

        if (r != (vectors[i].good ? 0 : REFUSAL_RANGE))
            fail_msg("%s=%s: %d", vectors[i].name, vectors[i].value, r);
    }
    assert_true(wire_meta_set(&(struct wire_meta){ 0 }, "mood", "1", NULL) < 0);
}

static void test_context(void **state)
{
    struct wire_meta meta = { 0 };
    struct refusal refusal;

    (void)state;
    assert_int_equal(wire_decode_context("{\"temperature\":61.5}", 20, &meta, &refusal), 0);
    assert_int_equal(meta.context_count, 1);
    assert_int_equal(wire_decode_context("[1]", 3, &meta, &refusal), REFUSAL_SYNTAX);
    assert_int_equal(wire_decode_context("{\"a\":null}", 10, &meta, &refusal), REFUSAL_SYNTAX);
    assert_int_equal(meta.context_count, 1);
    assert_string_equal(meta.context[0].name, "temperature");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_json_accepted),
        cmocka_unit_test(test_json_refused),
        cmocka_unit_test(test_json_cut_anywhere),
        cmocka_unit_test(test_json_meta),
        cmocka_unit_test(test_json_path),
        cmocka_unit_test(test_json_limits),
        cmocka_unit_test(test_raw),
        cmocka_unit_test(test_raw_not_finite),
        cmocka_unit_test(test_scale_rounds_twice),
        cmocka_unit_test(test_planar),
        cmocka_unit_test(test_csv),
        cmocka_unit_test(test_csv_header),
        cmocka_unit_test(test_meta_from_text),
        cmocka_unit_test(test_context),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
