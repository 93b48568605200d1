/* Settings and documents: written, read back, and refused; texts that are written without jansson are those it would write. */
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

#include "wire/buffer.h"
#include "wire/csv.h"
#include "wire/document.h"
#include "wire/json.h"
#include "wire/writer.h"

/* --------------------------------------------------------------------------------------------------------- settings */

static int read_settings(const char *json, struct settings *settings, const struct settings *base,
                         struct refusal *refusal)
{
    memset(refusal, 0, sizeof(*refusal));
    return wire_read_settings(json, strlen(json), settings, base, ORIGIN_REST, refusal);
}

static void test_settings_round_trip(void **state)
{
    const char *json =
        "{\"buffer_size\":256,\"axes\":3,\"sampling_hz\":26667.1,\"unit\":\"g\",\"scale\":0.000061,"
        "\"format\":\"i16\",\"layout\":\"planar\",\"sensitivity\":1.1,\"start\":\"auto\",\"learn\":\"24h\","
        "\"learn_every\":0.5,\"silent_after\":\"10m\",\"paused\":true,\"name\":\"P\xc3\xbcmpe \\\"1\\\"\"}";
    struct settings base, settings, back;
    struct refusal refusal;
    char *text;

    (void)state;
    settings_default(&base);
    settings = back = base;
    assert_int_equal(read_settings(json, &settings, &base, &refusal), 0);
    text = wire_settings(&settings, ORIGIN_REST);
    assert_non_null(strstr(text, "\"sensitivity\":1.1,"));
    assert_null(strstr(text, "threshold"));
    assert_int_equal(read_settings(text, &back, &base, &refusal), 0);
    for (size_t i = 0; i < SETTINGS_COUNT; i++) {
        assert_true(settings_equal(&settings, &back, &settings_fields[i]));
        assert_int_equal(settings.origin[i], back.origin[i]);
    }
    free(text);
    assert_int_equal(settings.learn_every, 500);
}

static void test_settings_all_defaults(void **state)
{
    struct settings base, back;
    struct refusal refusal;
    char *text;

    (void)state;
    settings_default(&base);
    base.buffer_size = base.axes = 1;
    back = base;
    text = wire_settings(&base, ORIGIN_DEFAULT);
    assert_int_equal(read_settings(text, &back, &base, &refusal), 0);
    for (size_t i = 0; i < SETTINGS_COUNT; i++)
        assert_true(settings_equal(&base, &back, &settings_fields[i]));
    free(text);
}

static void test_settings_refused(void **state)
{
    static const struct {
        const char *json;
        int code;
        const char *field;
    } vectors[] = {
        { "[]", REFUSAL_SYNTAX, "" },
        { "{\"vales\":1}", REFUSAL_UNKNOWN_FIELD, "vales" },
        { "{\"name\":\"x\",\"axes\":\"3\"}", REFUSAL_RANGE, "axes" },
        { "{\"axes\":1.5}", REFUSAL_RANGE, "axes" },
        { "{\"axes\":17}", REFUSAL_RANGE, "axes" },
        { "{\"paused\":\"yes\"}", REFUSAL_RANGE, "paused" },
        { "{\"paused\":1}", REFUSAL_RANGE, "paused" },
        { "{\"name\":5}", REFUSAL_RANGE, "name" },
        { "{\"name\":\"a\\u0007\"}", REFUSAL_RANGE, "name" },
        { "{\"format\":\"f64\"}", REFUSAL_RANGE, "format" },
        { "{\"sensitivity\":0}", REFUSAL_RANGE, "sensitivity" },
        { "{\"sensitivity\":100.0001}", REFUSAL_RANGE, "sensitivity" },
        { "{\"sensitivity\":1e-300}", REFUSAL_RANGE, "sensitivity" },
        { "{\"threshold\":101}", REFUSAL_RANGE, "threshold" },
        { "{\"threshold\":-1}", REFUSAL_RANGE, "threshold" },
        { "{\"learn\":{}}", REFUSAL_RANGE, "learn" },
        { "{\"learn_max\":\"soon\"}", REFUSAL_RANGE, "learn_max" },
        { "{\"axes\":3,\"axes\":3}", REFUSAL_SYNTAX, "" },
    };
    struct settings base, settings;

    (void)state;
    settings_default(&base);
    settings = base;
    for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
        struct refusal refusal;

        assert_int_equal(read_settings(vectors[i].json, &settings, &base, &refusal), vectors[i].code);
        assert_string_equal(refusal.field, vectors[i].field);
        assert_memory_equal(&settings, &base, sizeof(base));
    }
}

static void test_settings_say_what_was_meant(void **state)
{
    struct settings settings;
    struct refusal refusal;

    (void)state;
    settings_default(&settings);
    assert_int_equal(read_settings("{\"treshold\":90}", &settings, &settings, &refusal), REFUSAL_UNKNOWN_FIELD);
    assert_string_equal(refusal.detail, "there is no setting treshold; did you mean threshold?");
    assert_int_equal(read_settings("{\"colour\":1}", &settings, &settings, &refusal), REFUSAL_UNKNOWN_FIELD);
    assert_string_equal(refusal.detail, "there is no setting colour");
}

static void test_settings_null_takes_base(void **state)
{
    struct settings base, settings;
    struct refusal refusal;

    (void)state;
    settings_default(&base);
    settings = base;
    assert_int_equal(read_settings("{\"threshold\":80,\"window\":5}", &settings, &base, &refusal), 0);
    assert_int_equal(read_settings("{\"threshold\":null}", &settings, &base, &refusal), 0);
    assert_int_equal(settings.threshold, 90);
    assert_int_equal(settings.window, 5);
    assert_int_equal(settings.origin[SETTING_threshold], ORIGIN_DEFAULT);
    assert_int_equal(settings.origin[SETTING_window], ORIGIN_REST);
}

static void test_sensitivity(void **state)
{
    struct refusal refusal;
    float value = 7;

    (void)state;
    assert_int_equal(wire_read_sensitivity("{\"sensitivity\":1.1}", 19, &value, &refusal), 0);
    assert_true(fabsf(value - 1.1f) <= 0);
    assert_int_equal(wire_read_sensitivity("{\"sensitivity\":0}", 17, &value, &refusal), REFUSAL_RANGE);
    assert_int_equal(wire_read_sensitivity("{\"sensitivity\":\"1\"}", 19, &value, &refusal), REFUSAL_RANGE);
    assert_int_equal(wire_read_sensitivity("{}", 2, &value, &refusal), REFUSAL_UNKNOWN_FIELD);
    assert_int_equal(wire_read_sensitivity("{\"a\":1}", 7, &value, &refusal), REFUSAL_UNKNOWN_FIELD);
    assert_true(fabsf(value - 1.1f) <= 0);
}

/* -------------------------------------------------------------------------------------------------------- documents */

static void expect_text(char *text, const char *wanted)
{
    assert_non_null(text);
    assert_string_equal(text, wanted);
    free(text);
}

static void test_problem(void **state)
{
    struct refusal refusal;

    (void)state;
    refuse_limit(&refusal, REFUSAL_TOO_LARGE, "data", 65536, "more than %d numbers", 65536);
    expect_text(wire_problem(&refusal),
                "{\"type\":\"urn:habit:problem:too-large\",\"title\":\"larger than the limit\",\"status\":413,"
                "\"detail\":\"more than 65536 numbers\",\"field\":\"data\",\"limit\":65536}");
    refuse(&refusal, REFUSAL_HOST, "", "\xff is not UTF-8");
    expect_text(wire_problem(&refusal), "{\"type\":\"urn:habit:problem:host\",\"title\":\"not a name of this host\","
                                        "\"status\":421,\"detail\":\"? is not UTF-8\"}");
}

static void test_verdicts(void **state)
{
    struct verdict verdict = {
        .status = VERDICT_OK,
        .phase = PHASE_WATCHING,
        .detection = { .similarity = 97,
                       .distance = 0.55f,
                       .p_value = 0.25f,
                       .constant = 2,
                       .axes = 2,
                       .reasons = 2,
                       .level = { 0.1f, 9.81f },
                       .amplitude = { 1, 2 },
                       .reason = { { .axis = 1, .kind = "band", .in_hz = true, .from = 0, .to = 52.5f, .sigmas = 9.3f },
                                   { .kind = "level", .sigmas = -4 } } },
        .average = { .known = true, .similarity = 98 },
    };

    (void)state;
    expect_text(
        wire_verdicts("pump-1", &verdict, 1, 1),
        "{\"machine\":\"pump-1\",\"status\":\"ok\",\"similarity\":97,\"distance\":0.55,\"average\":98,\"anomaly\":null,"
        "\"phase\":\"watching\",\"level\":[0.1,9.81],\"amplitude\":[1.0,2.0],\"flags\":[\"constant:1\"],"
        "\"explanation\":[{\"axis\":1,\"kind\":\"band\",\"from_hz\":0.0,\"to_hz\":52.5,\"sigmas\":9.3},"
        "{\"axis\":0,\"kind\":\"level\",\"sigmas\":-4.0}],\"p_value\":0.25,\"extrapolated\":false}");
    verdict.status = VERDICT_DUPLICATE;
    expect_text(wire_verdicts("a", (struct verdict[]){ verdict, verdict }, 2, 3),
                "{\"machine\":\"a\",\"buffers\":3,\"verdicts\":[{\"status\":\"duplicate\",\"duplicate\":true,\"phase\":"
                "\"watching\"},"
                "{\"status\":\"duplicate\",\"duplicate\":true,\"phase\":\"watching\"}]}");
}

/* ---- numbers that are written without jansson look as it would write them */

static void expect_figure(double number)
{
    struct writer writer = { 0 };
    json_t *array = json_array();
    char *expected, *text;

    wire_append(&array, wire_figure(number));
    expected = wire_dump(array);
    writer_open(&writer, '[');
    writer_figure(&writer, number);
    writer_close(&writer, ']');
    text = writer_take(&writer);
    assert_string_equal(text, expected);
    free(text);
    free(expected);
}

static double random_double(uint64_t *state)
{
    double number;

    *state = *state * 6364136223846793005u + 1442695040888963407u;
    memcpy(&number, state, sizeof(number));
    return number;
}

static void test_figures_as_jansson_writes_them(void **state)
{
    static const double odd[] = { 0,         -0.0,          1,         -1,         0.5,
                                  9.999995,  99999.95,      999999.5,  999999.4,   1e-4,
                                  0.0001,    0.00009999995, 1e5,       1e6,        1e8,
                                  999999000, 999999499,     999999500, 1e9,        1e15,
                                  1e-300,    5e-324,        123456.5,  1.000005,   1.0000050000001,
                                  100000.5,  0.1,           100,       1234567,    12345678,
                                  123456789, 1.17549e-38,   0.9999995, 0.99999949, NAN,
                                  INFINITY };
    uint64_t seed = 42;

    (void)state;
    for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++)
        expect_figure(odd[i]);
    for (int i = 0; i < 100000; i++) {
        const double number = random_double(&seed), mantissa = frexp(number, &(int){ 0 });

        expect_figure(number);
        expect_figure((double)(float)(mantissa * pow(10, (double)(i % 14) - 4)));
        expect_figure((double)(i % 2000) / 1000 + 0.0000005); /* near the middle between two */
    }
}

static void test_floats_and_texts_as_jansson_writes_them(void **state)
{
    static const float floats[] = { 1, 0.1f, 1.1f, 100, 16777218, 3.4e38f, 1e-45f, 0.3f, 33.3333f, -2.5f };
    static const char *const texts[] = {
        "plain", "a \"quoted\" \\ one", "\n\t\x01", "\xc3\xa9", "\xff cut", "\x7f", ""
    };
    struct writer writer = { 0 };
    json_t *array = json_array();
    char *expected, *text;

    (void)state;
    writer_open(&writer, '[');
    for (size_t i = 0; i < sizeof(floats) / sizeof(floats[0]); i++) {
        writer_float(&writer, floats[i]);
        wire_append(&array, wire_float(floats[i]));
    }
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        writer_text(&writer, texts[i]);
        wire_append(&array, wire_text(texts[i]));
    }
    writer_integer(&writer, INT64_MIN);
    wire_append(&array, json_integer(INT64_MIN));
    writer_close(&writer, ']');
    expected = wire_dump(array);
    text = writer_take(&writer);
    assert_string_equal(text, expected);
    free(text);
    free(expected);
}

/* An error is never a score. */
static void test_no_score_without_detection(void **state)
{
    (void)state;
    for (int status = VERDICT_LEARNED; status < VERDICTS; status++) {
        const struct verdict verdict = { .status = (enum verdict_status)status, .detection = { .similarity = 42 } };
        char *text = wire_verdicts("a", &verdict, 1, 1);

        assert_null(strstr(text, "42"));
        assert_null(strstr(text, "distance"));
        free(text);
    }
}

static void test_reports(void **state)
{
    struct daily_report report = { .machine = "a",
                                   .asset = "=pump \"1\", hall",
                                   .hours = 24,
                                   .trend = { .slope = NAN, .to_line = NAN, .to_line_low = NAN, .to_line_high = NAN },
                                   .similarity_mean = NAN,
                                   .day = { .date = "2026-11-22", .from = 1795302000000, .to = 1795388400000 },
                                   .total = { .learned = 5, .similarity_min = 101 } };
    char *json = wire_reports(&report, 1, NULL), *csv = wire_reports_csv(&report, 1);

    (void)state;
    assert_non_null(strstr(json, "\"similarity_mean\":null"));
    assert_non_null(strstr(json, "\"similarity_min\":null"));
    assert_non_null(strstr(json, "\"learned\":5"));
    assert_non_null(strstr(csv, "2026-11-22,a,\"'=pump \"\"1\"\", hall\",2026-11-21T23:00:00.000Z,"));
    assert_non_null(strstr(csv, ",24,no,5,0,0,0,0,0,0,0,0,0,0,0,0,0,,,0,0,0,,0,0,0,,,,no,,,\r\n"));
    free(json);
    free(csv);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_settings_round_trip),
        cmocka_unit_test(test_settings_all_defaults),
        cmocka_unit_test(test_settings_refused),
        cmocka_unit_test(test_settings_say_what_was_meant),
        cmocka_unit_test(test_settings_null_takes_base),
        cmocka_unit_test(test_sensitivity),
        cmocka_unit_test(test_problem),
        cmocka_unit_test(test_figures_as_jansson_writes_them),
        cmocka_unit_test(test_floats_and_texts_as_jansson_writes_them),
        cmocka_unit_test(test_verdicts),
        cmocka_unit_test(test_no_score_without_detection),
        cmocka_unit_test(test_reports),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
