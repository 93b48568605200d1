/* The table of settings, row by row: what is printed is read back to the same value, beyond the bounds is refused and changes
 * nothing. New rows are covered without a new test. */
#include "support.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "record/settings.h"

static const struct settings_field *row(const char *key)
{
    const struct settings_field *field = settings_find(key);

    if (!field)
        fail_msg("no row %s", key);
    return field;
}

/* Padding and what is behind the end of a text do not count as part of a value. */
static bool all_equal(const struct settings *a, const struct settings *b)
{
    for (size_t i = 0; i < SETTINGS_COUNT; i++)
        if (!settings_equal(a, b, &settings_fields[i]) || a->origin[i] != b->origin[i])
            return false;
    return true;
}

static struct settings usable(void)
{
    struct settings settings;

    settings_default(&settings);
    settings.buffer_size = 256;
    settings.axes = 3;
    return settings;
}

static void must_take(struct settings *settings, const struct settings_field *field, const char *text)
{
    struct refusal refusal = { 0 };

    if (settings_set_text(settings, field, text, ORIGIN_REST, &refusal) != 0)
        fail_msg("%s = %s: %s", field->key, text, refusal.detail);
    assert_int_equal(settings->origin[field - settings_fields], ORIGIN_REST);
}

static void check_refusal(const struct settings_field *field, const char *what, int r, const struct refusal *refusal)
{
    if (r <= 0 || r >= REFUSAL_CODES || refusal->code != (enum refusal_code)r ||
        strcmp(refusal->field, field->key) != 0 || !refusal->detail[0])
        fail_msg("%s = %s: %d, field %s, detail %s", field->key, what, r, refusal->field, refusal->detail);
}

static void must_refuse(const struct settings_field *field, const char *text)
{
    struct settings settings = usable(), before = settings;
    struct refusal refusal = { 0 };

    check_refusal(field, text, settings_set_text(&settings, field, text, ORIGIN_REST, &refusal), &refusal);
    assert_true(all_equal(&settings, &before));
    assert_int_not_equal(settings_set_text(&settings, field, text, ORIGIN_REST, NULL), 0); /* who does not ask why */
}

static void must_refuse_number(const struct settings_field *field, double number)
{
    struct settings settings = usable(), before = settings;
    struct refusal refusal = { 0 };
    char what[40];

    snprintf(what, sizeof(what), "number %.17g", number);
    check_refusal(field, what, settings_set_number(&settings, field, number, ORIGIN_REST, &refusal), &refusal);
    assert_true(all_equal(&settings, &before));
}

static void check_round_trip(const struct settings *from, const struct settings_field *field)
{
    struct settings back = usable();
    char text[SETTING_TEXT_SIZE], again[SETTING_TEXT_SIZE];

    assert_true(settings_text(from, field, text) == text);
    must_take(&back, field, text);
    if (!settings_equal(from, &back, field))
        fail_msg("%s: '%s' became '%s'", field->key, text, settings_text(&back, field, again));
    assert_string_equal(settings_text(&back, field, again), text);
}

static void test_rows_are_found_by_key(void **state)
{
    (void)state;
    for (size_t i = 0; i < SETTINGS_COUNT; i++) {
        assert_ptr_equal(settings_find(settings_fields[i].key), &settings_fields[i]);
        assert_true(settings_fields[i].help[0]);
    }
    assert_null(settings_find(""));
    assert_null(settings_find("thresholds"));
    assert_null(settings_find("Threshold"));
    assert_null(settings_find("origin"));
}

static void test_defaults(void **state)
{
    struct settings settings, named;

    (void)state;
    settings_default(&settings);
    settings_default(&named);
    for (size_t i = 0; i < SETTINGS_COUNT; i++) {
        const struct settings_field *field = &settings_fields[i];

        assert_int_equal(settings.origin[i], ORIGIN_DEFAULT);
        if (!field->fallback[0])
            continue;
        must_take(&named, field, field->fallback);
        if (!settings_equal(&settings, &named, field))
            fail_msg("%s: default is not %s", field->key, field->fallback);
        check_round_trip(&settings, field);
    }
    assert_int_equal(settings.buffer_size, 0);
    assert_int_equal(settings.axes, 0);
    assert_int_equal(settings.learn_max, INT64_C(14) * 86400000);
    assert_true(settings.sensitivity == 1.0f && settings.scale == 1.0f);
    assert_int_equal(settings.threshold, 90);
    assert_int_equal(settings.clear, 93);
    assert_int_equal(settings.window, 10);
    assert_int_equal(settings.learn.mode, LEARN_AUTO);
}

static void text_of_number(const struct settings_field *field, double number, char *text, size_t size)
{
    if (field->type == TYPE_DURATION)
        snprintf(text, size, "%.0fms", number);
    else
        snprintf(text, size, "%.17g", number);
}

static bool numeric(const struct settings_field *field)
{
    return field->type == TYPE_UNSIGNED || field->type == TYPE_NUMBER || field->type == TYPE_DURATION;
}

/* Just outside: the next whole number, or the next float, as values are held as one. */
static double beyond(const struct settings_field *field, double bound, double direction)
{
    if (field->type == TYPE_NUMBER)
        return bound == 0 ? direction * 1e-30 : bound + direction * fabs(bound) * 1e-6;
    return bound + direction;
}

static void test_bounds_of_numbers(void **state)
{
    (void)state;
    for (size_t i = 0; i < SETTINGS_COUNT; i++) {
        const struct settings_field *field = &settings_fields[i];
        const double bounds[] = { field->low, field->high };

        if (!numeric(field))
            continue;
        for (int side = 0; side < 2; side++) {
            struct settings settings = usable();
            char text[64];

            text_of_number(field, bounds[side], text, sizeof(text));
            must_take(&settings, field, text);
            check_round_trip(&settings, field);
            text_of_number(field, beyond(field, bounds[side], side ? 1 : -1), text, sizeof(text));
            must_refuse(field, text);
        }
    }
}

static void test_bounds_as_numbers(void **state)
{
    (void)state;
    for (size_t i = 0; i < SETTINGS_COUNT; i++) {
        const struct settings_field *field = &settings_fields[i];
        const double bounds[] = { field->low, field->high };
        double unit = field->type == TYPE_DURATION ? 1000 : 1; /* seconds */

        if (!numeric(field))
            continue;
        for (int side = 0; side < 2; side++) {
            struct settings settings = usable(), same = usable();
            char text[64];

            assert_int_equal(settings_set_number(&settings, field, bounds[side] / unit, ORIGIN_REST, NULL), 0);
            text_of_number(field, bounds[side], text, sizeof(text));
            must_take(&same, field, text);
            assert_true(settings_equal(&settings, &same, field));
            assert_int_equal(settings.origin[i], ORIGIN_REST);
            must_refuse_number(field, beyond(field, bounds[side], side ? 1 : -1) / unit);
        }
        must_refuse_number(field, NAN);
        must_refuse_number(field, INFINITY);
        must_refuse_number(field, -INFINITY);
        must_refuse_number(field, 1e300);
        must_refuse_number(field, -1e300);
    }
}

static void test_numbers_of_other_types(void **state)
{
    struct settings settings = usable();

    (void)state;
    must_refuse_number(row("buffer_size"), 256.5);
    must_refuse_number(row("window"), 1.000001);
    must_refuse_number(row("name"), 5);
    must_refuse_number(row("format"), 1);
    must_refuse_number(row("layout"), 0);
    must_refuse_number(row("learn"), -1);
    must_refuse_number(row("learn"), 0.5);
    must_refuse_number(row("learn"), NAN);
    assert_int_equal(settings_set_number(&settings, row("learn"), 500, ORIGIN_REST, NULL), 0);
    assert_int_equal(settings.learn.mode, LEARN_BUFFERS);
    assert_int_equal(settings.learn.value, 500);
    assert_int_equal(settings_set_number(&settings, row("learn_every"), 90, ORIGIN_REST, NULL), 0);
    assert_int_equal(settings.learn_every, 90000);
}

static void test_numbers_read_back(void **state)
{
    struct settings settings = usable();

    (void)state;
    settings.sensitivity = 1.1f;
    assert_true((float)settings_number(&settings, row("sensitivity")) == 1.1f);
    assert_true(settings_number(&settings, row("buffer_size")) == 256);
    assert_true(settings_number(&settings, row("threshold")) == 90);
}

/* Knowledge is compared bit by bit, and -0 is not 0 there. */
static void test_minus_zero_is_zero(void **state)
{
    static const char *const keys[] = { "sampling_hz", "offset" };
    struct settings settings = usable(), zero = usable();

    (void)state;
    for (size_t i = 0; i < COUNT(keys); i++) {
        must_take(&settings, row(keys[i]), "-0");
        must_take(&zero, row(keys[i]), "0");
        assert_true(settings_equal(&settings, &zero, row(keys[i])));
    }
}

/* Any float within its bounds is printed so that it comes back in every bit: knowledge is compared bit by bit. */
static void test_random_floats_round_trip(void **state)
{
    static const char *const keys[] = { "sampling_hz", "scale", "offset", "sensitivity" };
    uint64_t seed = chance_seed();

    (void)state;
    for (size_t k = 0; k < COUNT(keys); k++)
        for (int i = 0; i < 5000; i++) {
            const struct settings_field *field = row(keys[k]);
            struct settings settings = usable();
            double span = log(field->high) - log(1e-12),
                   number = exp(log(1e-12) + span * (double)(chance(&seed) >> 11) * 0x1p-53);

            if (field->low < 0 && chance_below(&seed, 2))
                number = -number;
            if (settings_set_number(&settings, field, number, ORIGIN_FILE, NULL) == 0)
                check_round_trip(&settings, field);
        }
}

static void test_wrong_numbers(void **state)
{
    static const char *const wrong[] = { "",     "abc",   "10abc", "0x10", " 5 ",      "5 ",  "nan", "inf",
                                         "-inf", "1e999", "5,5",   "yes",  "\xd9\xa3", "--5", "1_0", "+1" };

    (void)state;
    for (size_t i = 0; i < SETTINGS_COUNT; i++)
        for (size_t j = 0; numeric(&settings_fields[i]) && j < COUNT(wrong); j++)
            must_refuse(&settings_fields[i], wrong[j]);
    must_refuse(row("buffer_size"), "1e3");
    must_refuse(row("buffer_size"), "256.0");
    must_refuse(row("buffer_size"), "-1");
    must_refuse(row("buffer_size"), "4294967552"); /* 256 modulo 2^32 */
    must_refuse(row("window"), "18446744073709551617");
    must_refuse(row("sensitivity"), "1e-300"); /* H41 */
    must_refuse(row("sensitivity"), "0");
    must_refuse(row("sensitivity"), "-1");
    must_refuse(row("sensitivity"), "100.0001");
    must_refuse(row("threshold"), "-1");
    must_refuse(row("threshold"), "101");
    must_refuse(row("learn_every"), "5 s");
    must_refuse(row("learn_every"), "5S");
    must_refuse(row("learn_every"), "1.5m");
    must_refuse(row("learn_every"), "-5s");
}

static void test_choices(void **state)
{
    static const struct {
        const char *key;
        const char *values[5];
    } choices[] = {
        { "profile", { "small", "default", "large" } },
        { "format", { "f32", "i16", "i16be", "json" } },
        { "layout", { "interleaved", "planar" } },
        { "start", { "commission", "auto" } },
    };
    static const char *const wrong[] = {
        "", "0", "1", "F32", "smal", "smalll", "Auto", "auto ", "i16 ", "i16le", "yes"
    };

    (void)state;
    for (size_t i = 0; i < COUNT(choices); i++) {
        const struct settings_field *field = row(choices[i].key);
        struct settings settings = usable(), other = usable();
        char text[SETTING_TEXT_SIZE];

        for (size_t j = 0; choices[i].values[j]; j++) {
            must_take(&settings, field, choices[i].values[j]);
            assert_string_equal(settings_text(&settings, field, text), choices[i].values[j]);
            check_round_trip(&settings, field);
            assert_true(j == 0 || !settings_equal(&settings, &other, field));
            settings_copy(&other, &settings, field);
        }
        for (size_t j = 0; j < COUNT(wrong); j++)
            must_refuse(field, wrong[j]);
    }
}

static void test_booleans(void **state)
{
    const struct settings_field *field = row("paused");
    struct settings settings = usable();

    (void)state;
    must_take(&settings, field, "yes");
    assert_int_equal(settings.paused, 1);
    check_round_trip(&settings, field);
    must_take(&settings, field, "no");
    assert_int_equal(settings.paused, 0);
    check_round_trip(&settings, field);
    must_refuse(field, "");
    must_refuse(field, "tru");
    must_refuse(field, "2");
    must_refuse(field, "YESS");
    must_refuse(field, "yes ");
}

static void test_learn_goals(void **state)
{
    static const struct {
        const char *text;
        uint32_t mode;
        uint64_t value;
    } good[] = {
        { "auto", LEARN_AUTO, 0 },
        { "1", LEARN_BUFFERS, 1 },
        { "500", LEARN_BUFFERS, 500 }, /* a bare number counts buffers, though a duration would read it as seconds */
        { "24h", LEARN_DURATION, 86400000 },
        { "90s", LEARN_DURATION, 90000 },
        { "14d", LEARN_DURATION, UINT64_C(1209600000) },
    };
    static const char *const wrong[] = { "",
                                         "0",
                                         "Auto",
                                         "auto ",
                                         "-5",
                                         "5.5",
                                         "5 s",
                                         "1e3",
                                         "0s",
                                         "0h",
                                         "never",
                                         "99999999999999999999",
                                         "99999999999999999999h" };

    (void)state;
    for (size_t i = 0; i < COUNT(good); i++) {
        struct settings settings = usable();

        must_take(&settings, row("learn"), good[i].text);
        assert_int_equal(settings.learn.mode, good[i].mode);
        assert_int_equal(settings.learn.value, good[i].value);
        check_round_trip(&settings, row("learn"));
    }
    for (size_t i = 0; i < COUNT(wrong); i++)
        must_refuse(row("learn"), wrong[i]);
}

static void test_texts(void **state)
{
    (void)state;
    for (size_t i = 0; i < SETTINGS_COUNT; i++) {
        const struct settings_field *field = &settings_fields[i];
        struct settings settings = usable();
        char text[300];

        if (field->type != TYPE_TEXT)
            continue;
        memset(text, 'x', sizeof(text));
        text[(size_t)field->high - 1] = '\0'; /* the longest: its end needs a byte */
        must_take(&settings, field, text);
        check_round_trip(&settings, field);
        text[(size_t)field->high - 1] = 'x';
        text[(size_t)field->high] = '\0';
        must_refuse(field, text);
        must_take(&settings, field, "");
        check_round_trip(&settings, field);
        must_refuse(field, "a\nb");
        must_refuse(field, "\x1b[31m");
        must_refuse(field, "caf\xe9");
    }
}

static void test_texts_for_people(void **state)
{
    static const char *const keys[] = { "name", "asset", "location", "labels" };
    struct settings settings = usable();

    (void)state;
    for (size_t i = 0; i < COUNT(keys); i++) {
        must_take(&settings, row(keys[i]), "M\xc3\xbchle; \xe6\xb3\xb5 = \"#3\"");
        check_round_trip(&settings, row(keys[i]));
    }
}

/* The engine takes neither: a machine with it could not be made, nor loaded. */
static void test_what_goes_into_knowledge(void **state)
{
    struct settings settings = usable();

    (void)state;
    must_take(&settings, row("unit"), "mm/s");
    assert_string_equal(settings.unit, "mm/s");
    must_refuse(row("unit"), "m/s\xc2\xb2");
    must_refuse(row("unit"), "\xc2\xb0"
                             "C");
    must_take(&settings, row("sampling_hz"), "0");
    must_take(&settings, row("sampling_hz"), "1e-15");
    must_refuse(row("sampling_hz"), "1e-16");
    must_refuse(row("sampling_hz"), "1e-37");
}

/* One field copied: that one equal, with its origin, and no other touched. */
static void test_copy_and_equal(void **state)
{
    struct settings from = usable();

    (void)state;
    from.axes = 2;
    from.buffer_size = 128;
    for (size_t i = 0; i < SETTINGS_COUNT; i++) {
        const struct settings_field *field = &settings_fields[i];

        if (field->type == TYPE_TEXT)
            must_take(&from, field, "other");
        else if (field->type == TYPE_LEARN)
            must_take(&from, field, "7");
        else if (field->type == TYPE_RUN)
            must_take(&from, field, "context.speed > 5");
        else if (field->type == TYPE_ORDER)
            must_take(&from, field, "off");
        else if (field->type == TYPE_RULES)
            must_take(&from, field, "temperature > 60 for 10m : learn 50");
        else if (field->type >= TYPE_PROFILE || field->type == TYPE_BOOLEAN)
            *(uint32_t *)((char *)&from + field->offset) ^= 1;
        else
            assert_int_equal(settings_set_number(&from, field,
                                                 field->type == TYPE_DURATION ? 7777
                                                 : 33 > field->high           ? 7
                                                                              : 33,
                                                 ORIGIN_REST, NULL),
                             0);
        from.origin[i] = ORIGIN_REST;
    }
    for (size_t i = 0; i < SETTINGS_COUNT; i++) {
        struct settings to = usable(), before = to;

        assert_false(settings_equal(&to, &from, &settings_fields[i]));
        settings_copy(&to, &from, &settings_fields[i]);
        assert_true(settings_equal(&to, &from, &settings_fields[i]));
        assert_int_equal(to.origin[i], ORIGIN_REST);
        settings_copy(&to, &before, &settings_fields[i]);
        assert_true(all_equal(&to, &before));
    }
}

/* ----------------------------------------------------------------------------------------------- little sentences */

struct sentence {
    const char *key, *text, *read_back; /* NULL = refused */
};

static const struct sentence sentences[] = {
    { "run_when", "always", "always" },
    { "run_when", " level  auto ", "level auto" },
    { "run_when", "level > 0.25", "level > 0.25" },
    { "run_when", "context.speed < 1e3", "context.speed < 1000" },
    { "run_when", "context.speed > -5", "context.speed > -5" },
    { "run_when", "", NULL },
    { "run_when", "sometimes", NULL },
    { "run_when", "level", NULL },
    { "run_when", "level auto > 3", NULL },
    { "run_when", "level > -1", NULL },
    { "run_when", "level >= 1", NULL },
    { "run_when", "level > nan", NULL },
    { "run_when", "level > 1 2", NULL },
    { "run_when", "context. > 1", NULL },
    { "run_when", "speed > 1", NULL },
    { "run_when", "context.a_name_that_is_much_too_long_for_one > 1", NULL },
    { "false_alarms", "1 per 90d", "1 per 90d" },
    { "false_alarms", "3 per 720h", "3 per 30d" },
    { "false_alarms", "off", "off" },
    { "false_alarms", "0 per 90d", NULL },
    { "false_alarms", "-1 per 90d", NULL },
    { "false_alarms", "1 per", NULL },
    { "false_alarms", "1 per 30m", NULL },
    { "false_alarms", "1 per 4000d", NULL },
    { "false_alarms", "1 per 90d please", NULL },
    { "false_alarms", "1001 per 90d", NULL },
    { "false_alarms", "1.5 per 90d", NULL },
    { "rule", "none", "none" },
    { "rule", "", "none" },
    { "rule", "temperature > 60 for 10m : learn 50", "temperature > 60 for 10m : learn 50" },
    { "rule", "temperature>60", NULL },
    { "rule", "temperature > 60:learn 50", "temperature > 60 for 0 : learn 50" },
    { "rule", "a < 1 for 1s : learn 1, b > 2 for 1h : learn 100000",
      "a < 1 for 1s : learn 1, b > 2 for 1h : learn 100000" },
    { "rule", "temperature > 60 for 10m : learn 0", NULL },
    { "rule", "temperature > 60 for 10m : learn -1", NULL },
    { "rule", "temperature > 60 for -10m : learn 50", NULL },
    { "rule", "temperature > 60 for 31d : learn 50", NULL },
    { "rule", "temperature > 60 for 10m : forget 50", NULL },
    { "rule", "temperature > hot for 10m : learn 50", NULL },
    { "rule", "temperature > 60 for 10m : learn 50,", NULL },
    { "rule", "temperature > 60 for 10m : learn 50 b > 2 : learn 1", NULL },
    { "rule", "a > 1 : learn 1, b > 1 : learn 1, c > 1 : learn 1, d > 1 : learn 1, e > 1 : learn 1", NULL },
};

static void test_sentences(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(sentences); i++) {
        const struct sentence *sentence = &sentences[i];
        struct settings settings = usable();
        char text[SETTING_TEXT_SIZE];

        if (!sentence->read_back) {
            must_refuse(row(sentence->key), sentence->text);
            continue;
        }
        must_take(&settings, row(sentence->key), sentence->text);
        assert_string_equal(settings_text(&settings, row(sentence->key), text), sentence->read_back);
        check_round_trip(&settings, row(sentence->key));
    }
}

/* Rules that can never learn are no rules. */
static void test_impossible_rules(void **state)
{
    struct settings settings = usable();
    struct refusal refusal;

    (void)state;
    must_take(&settings, row("run_when"), "context.speed > 5");
    must_take(&settings, row("rule"), "speed < 6 for 10m : learn 50");
    assert_int_equal(settings_check(&settings, &refusal), 0);
    must_take(&settings, row("rule"), "speed < 5 for 10m : learn 50");
    assert_int_equal(settings_check(&settings, &refusal), REFUSAL_RANGE);
    assert_string_equal(refusal.field, "rule");
    must_take(&settings, row("rule"), "a > 1 for 10m : learn 50, a > 1 for 1h : learn 5");
    assert_int_equal(settings_check(&settings, &refusal), REFUSAL_RANGE);
    must_take(&settings, row("rule"), "a > 1 for 10m : learn 50, a > 2 for 1h : learn 5");
    assert_int_equal(settings_check(&settings, &refusal), 0);
}

/* Texts are equal by what they say, not by what is left behind their end. */
static void test_equal_texts_with_other_rests(void **state)
{
    struct settings a = usable(), b = usable();

    (void)state;
    must_take(&a, row("name"), "a long name");
    must_take(&a, row("name"), "fan");
    must_take(&b, row("name"), "fan");
    assert_true(settings_equal(&a, &b, row("name")));
}

static void must_fail_check(const struct settings *settings)
{
    struct refusal refusal = { 0 };
    int r = settings_check(settings, &refusal);

    assert_in_range(r, 1, REFUSAL_CODES - 1);
    assert_int_equal(refusal.code, r);
    assert_true(refusal.detail[0]);
    assert_true(refusal.field[0]);
}

static void test_check_of_the_whole(void **state)
{
    struct settings settings;

    (void)state;
    settings_default(&settings);
    must_fail_check(&settings); /* no geometry */
    settings.buffer_size = 256;
    must_fail_check(&settings);
    settings.axes = 3;
    assert_int_equal(settings_check(&settings, NULL), 0);
    settings.buffer_size = 0;
    must_fail_check(&settings);
    settings = usable();
    settings.buffer_size = 4096;
    settings.axes = 16; /* 65,536 numbers: just as many as a body may have */
    assert_int_equal(settings_check(&settings, NULL), 0);
    settings = usable();
    settings.clear = settings.threshold;
    assert_int_equal(settings_check(&settings, NULL), 0);
    settings.clear = settings.threshold - 1;
    must_fail_check(&settings);
    settings.clear = settings.threshold = 100;
    assert_int_equal(settings_check(&settings, NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows_are_found_by_key),
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_bounds_of_numbers),
        cmocka_unit_test(test_bounds_as_numbers),
        cmocka_unit_test(test_numbers_of_other_types),
        cmocka_unit_test(test_numbers_read_back),
        cmocka_unit_test(test_minus_zero_is_zero),
        cmocka_unit_test(test_random_floats_round_trip),
        cmocka_unit_test(test_wrong_numbers),
        cmocka_unit_test(test_choices),
        cmocka_unit_test(test_booleans),
        cmocka_unit_test(test_learn_goals),
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_texts_for_people),
        cmocka_unit_test(test_what_goes_into_knowledge),
        cmocka_unit_test(test_copy_and_equal),
        cmocka_unit_test(test_sentences),
        cmocka_unit_test(test_impossible_rules),
        cmocka_unit_test(test_equal_texts_with_other_rests),
        cmocka_unit_test(test_check_of_the_whole),
    };

    return cmocka_run_group_tests_name("settings", tests, NULL, NULL);
}
