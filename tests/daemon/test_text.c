/* Readers of short texts, by table: what is not exactly the form is refused and leaves the result alone. */
#include "support.h"

#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#define TEN   "0123456789"
#define SIXTY TEN TEN TEN TEN TEN TEN

static void test_machine_ids(void **state)
{
    static const char *const good[] = { "a",  "Z",   "0",   "pump-1", "pump_1",    "A-",
                                        "a_", "CON", "0-0", "DROP",   SIXTY "abcd" };
    static const char *const bad[] = {
        "",
        ".",
        "..",
        "+",
        "#",
        "$SYS",
        "a/b",
        "a b",
        " a",
        "a ",
        "a\n",
        "-rf",
        "_a",
        "a.b",
        "a+",
        "a#",
        "/",
        "a%2f",
        "\xf0\x9f\x98\x80", /* emoji */
        "\xd0\xb0",         /* Cyrillic a */
        "a\xe2\x80\x8d"
        "b", /* zero-width joiner */
        "a\xe2\x80\xae"
        "b", /* right-to-left override */
        "e\xcc\x81",
        "\xc3\xa9", /* both forms of e with acute */
        "'; DROP TABLE machine",
        "a\x7f",
        "a\x01",
        "a\xff",
        "a:b",
        "a*",
        "a?",
        "[a]",
        "`a`",
        "@",
        "{",
        SIXTY "abcde",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(good); i++)
        if (!machine_id_valid(good[i], strlen(good[i])))
            fail_msg("refused: %s", good[i]);
    for (size_t i = 0; i < COUNT(bad); i++)
        if (machine_id_valid(bad[i], strlen(bad[i])))
            fail_msg("taken: '%s'", bad[i]);
}

static void test_machine_ids_end_at_their_length(void **state)
{
    (void)state;
    assert_true(machine_id_valid("pump/1", 4)); /* a level of a topic */
    assert_false(machine_id_valid("pump\0001", 6));
    assert_false(machine_id_valid("\0", 1));
    assert_false(machine_id_valid("pump", 0));
}

static void test_machine_ids_byte_by_byte(void **state)
{
    static const char first[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    static const char later[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";

    (void)state;
    for (int byte = 0; byte < 256; byte++) {
        char one[] = { (char)byte }, two[] = { 'a', (char)byte };

        if (machine_id_valid(one, 1) != (byte != 0 && strchr(first, byte) != NULL))
            fail_msg("first byte %02x", (unsigned int)byte);
        if (machine_id_valid(two, 2) != (byte != 0 && strchr(later, byte) != NULL))
            fail_msg("second byte %02x", (unsigned int)byte);
    }
}

static void test_gateway_ids(void **state)
{
    static const char *const good[] = { "a", "-", "raspberrypi", "GW-1", "0123456789abcdef0123456789abcdef" };
    static const char *const bad[] = { "",         "a_b", "a.b",
                                       "a/b",      "+",   "#",
                                       "\xc3\xa9", " ",   "0123456789abcdef0123456789abcdef0" };

    (void)state;
    for (size_t i = 0; i < COUNT(good); i++)
        if (!gateway_id_valid(good[i]))
            fail_msg("refused: %s", good[i]);
    for (size_t i = 0; i < COUNT(bad); i++)
        if (gateway_id_valid(bad[i]))
            fail_msg("taken: '%s'", bad[i]);
}

static const struct {
    const char *text;
    uint64_t max;
    bool good;
    uint64_t value;
} unsigneds[] = {
    { "0", 0, true, 0 },
    { "7", 7, true, 7 },
    { "8", 7, false, 0 },
    { "65535", 65535, true, 65535 },
    { "65536", 65535, false, 0 },
    { "2147483648", UINT64_MAX, true, UINT64_C(2147483648) },
    { "9223372036854775807", UINT64_MAX, true, INT64_MAX },
    { "9223372036854775808", UINT64_MAX, true, UINT64_C(9223372036854775808) },
    { "18446744073709551615", UINT64_MAX, true, UINT64_MAX },
    { "18446744073709551616", UINT64_MAX, false, 0 },
    { "18446744073709551620", UINT64_MAX, false, 0 },
    { "184467440737095516150", UINT64_MAX, false, 0 },
    { "99999999999999999999", UINT64_MAX, false, 0 },
    { SIXTY SIXTY SIXTY SIXTY, UINT64_MAX, false, 0 },
    { "", UINT64_MAX, false, 0 },
    { "abc", UINT64_MAX, false, 0 },
    { "10abc", UINT64_MAX, false, 0 },
    { "0x10", UINT64_MAX, false, 0 },
    { "1e3", UINT64_MAX, false, 0 },
    { " 5 ", UINT64_MAX, false, 0 },
    { " 5", UINT64_MAX, false, 0 },
    { "5 ", UINT64_MAX, false, 0 },
    { "5\n", UINT64_MAX, false, 0 },
    { "-1", UINT64_MAX, false, 0 },
    { "-0", UINT64_MAX, false, 0 },
    { "+1", UINT64_MAX, false, 0 },
    { "1_000", UINT64_MAX, false, 0 },
    { "1,000", UINT64_MAX, false, 0 },
    { "1.0", UINT64_MAX, false, 0 },
    { "010", UINT64_MAX, false, 0 }, /* neither 10 nor 8 */
    { "00", UINT64_MAX, false, 0 },
    { "\xd9\xa3", UINT64_MAX, false, 0 },     /* Arabic three */
    { "\xef\xbc\x93", UINT64_MAX, false, 0 }, /* full-width three */
};

static void test_unsigned_numbers(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(unsigneds); i++) {
        uint64_t value = 4711;

        if (text_to_unsigned(unsigneds[i].text, unsigneds[i].max, &value) != unsigneds[i].good)
            fail_msg("'%s' with max %llu", unsigneds[i].text, (unsigned long long)unsigneds[i].max);
        assert_int_equal(value, unsigneds[i].good ? unsigneds[i].value : 4711);
    }
}

static const struct {
    const char *text;
    bool good;
    double value;
} numbers[] = {
    { "0", true, 0 },
    { "-0", true, -0.0 },
    { "1", true, 1 },
    { "-1.5e-3", true, -1.5e-3 },
    { "1E5", true, 1e5 },
    { "1e+5", true, 1e5 },
    { "0.1", true, 0.1 },
    { "9223372036854775808", true, 9223372036854775808.0 },
    { "1.7976931348623157e308", true, 1.7976931348623157e308 },
    { "4.9e-324", true, 4.9e-324 },
    { "3.5e38", true, 3.5e38 },
    { "1.8e308", false, 0 },
    { "1e999", false, 0 },
    { "-1e999", false, 0 },
    { "1e99999999999999999999", false, 0 },
    { "", false, 0 },
    { "-", false, 0 },
    { ".", false, 0 },
    { "e5", false, 0 },
    { "1e", false, 0 },
    { "1e+", false, 0 },
    { "--1", false, 0 },
    { "1..2", false, 0 },
    { "1.2.3", false, 0 },
    { "1,5", false, 0 },
    { "0x10", false, 0 },
    { "0x1p3", false, 0 },
    { "inf", false, 0 },
    { "INFINITY", false, 0 },
    { "-inf", false, 0 },
    { "nan", false, 0 },
    { "NaN", false, 0 },
    { "nan(1)", false, 0 },
    { " 1", false, 0 },
    { "1 ", false, 0 },
    { "1\n", false, 0 },
    { "1_000", false, 0 },
    { "1f", false, 0 },
    { "abc", false, 0 },
    { "1e5x", false, 0 },
    { "01", false, 0 }, /* JSON's form */
    { "-01", false, 0 },
    { "+1", false, 0 },
    { ".5", false, 0 },
    { "5.", false, 0 },
    { "5.e1", false, 0 },
    { "0.1" SIXTY "0", true, 0.10123456789012345678901234567890 },
    { "0.1" SIXTY "01", false, 0 }, /* 65 characters */
    { "1" SIXTY "012", true, 1.0123456789012345678901234567e63 },
    { "1" SIXTY "0123", false, 0 },
    { "\xd9\xa3", false, 0 },
};

static void check_numbers(void)
{
    for (size_t i = 0; i < COUNT(numbers); i++) {
        double value = 4711;

        if (text_to_number(numbers[i].text, &value) != numbers[i].good)
            fail_msg("'%s'", numbers[i].text);
        if (value != (numbers[i].good ? numbers[i].value : 4711))
            fail_msg("'%s' became %.17g", numbers[i].text, value);
    }
}

static void test_numbers(void **state)
{
    double value = 1;

    (void)state;
    check_numbers();
    if (text_to_number("1e-999", &value)) /* too small to hold: nothing, or nearly */
        assert_true(fabs(value) < 1e-300);
}

/* A locale with a decimal comma must not change what a number is. It is made here: few machines have one. */
static void test_numbers_in_another_locale(void **state)
{
    char folder[] = "/tmp/habit-locale-XXXXXX", command[128];
    double comma;

    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(command, sizeof(command), "localedef -i de_DE -f UTF-8 %s/de_DE.UTF-8", folder);
    assert_int_equal(system(command), 0);
    setenv("LOCPATH", folder, 1);
    assert_non_null(setlocale(LC_NUMERIC, "de_DE.UTF-8"));
    assert_true(sscanf("1,5", "%lf", &comma) == 1 && comma == 1.5);
    check_numbers();
    setlocale(LC_NUMERIC, "C");
    snprintf(command, sizeof(command), "rm -r %s", folder);
    assert_int_equal(system(command), 0);
}

static const struct {
    const char *text;
    bool good;
    uint64_t milliseconds;
} durations[] = {
    { "0", true, 0 },
    { "90", true, 90000 },
    { "500ms", true, 500 },
    { "10s", true, 10000 },
    { "5m", true, 300000 },
    { "24h", true, 86400000 },
    { "14d", true, UINT64_C(1209600000) },
    { "0ms", true, 0 },
    { "18446744073709551615ms", true, UINT64_MAX },
    { "18446744073709551", true, UINT64_C(18446744073709551000) },
    { "18446744073709552", false, 0 },
    { "18446744073709552s", false, 0 },
    { "18446744073709551616ms", false, 0 },
    { "307445734561826m", false, 0 },
    { "5124095576031h", false, 0 },
    { "213503982335d", false, 0 },
    { "99999999999999999999d", false, 0 },
    { "", false, 0 },
    { "s", false, 0 },
    { "ms", false, 0 },
    { "5 s", false, 0 },
    { " 5s", false, 0 },
    { "5s ", false, 0 },
    { "5S", false, 0 },
    { "5M", false, 0 },
    { "5H", false, 0 },
    { "5D", false, 0 },
    { "5MS", false, 0 },
    { "1.5m", false, 0 },
    { "1.5", false, 0 },
    { "1e3s", false, 0 },
    { "1k", false, 0 },
    { "1K", false, 0 },
    { "1w", false, 0 },
    { "5mss", false, 0 },
    { "5sm", false, 0 },
    { "1h30m", false, 0 },
    { "-5s", false, 0 },
    { "+5s", false, 0 },
    { "0x5s", false, 0 },
    { "auto", false, 0 },
};

static void test_durations(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(durations); i++) {
        uint64_t milliseconds = 4711;

        if (text_to_duration(durations[i].text, &milliseconds) != durations[i].good)
            fail_msg("'%s'", durations[i].text);
        if (milliseconds != (durations[i].good ? durations[i].milliseconds : 4711))
            fail_msg("'%s' became %llu", durations[i].text, (unsigned long long)milliseconds);
    }
}

static void check_duration_round_trip(uint64_t milliseconds)
{
    char text[DURATION_TEXT_SIZE];
    uint64_t back = milliseconds + 1;

    assert_true(text_of_duration(milliseconds, text) == text);
    if (!text_to_duration(text, &back) || back != milliseconds)
        fail_msg("%llu ms became '%s'", (unsigned long long)milliseconds, text);
}

static void test_durations_round_trip(void **state)
{
    uint64_t seed = chance_seed();

    (void)state;
    for (uint64_t ms = 0; ms < 5000; ms++)
        check_duration_round_trip(ms);
    for (int i = 0; i < 20000; i++) {
        uint64_t ms = chance(&seed) >> chance_below(&seed, 64);

        check_duration_round_trip(ms);
        check_duration_round_trip(ms / 1000 * 1000);
        check_duration_round_trip(ms / 86400000 * 86400000);
    }
    check_duration_round_trip(UINT64_MAX);
}

static void test_durations_in_the_largest_unit(void **state)
{
    static const struct {
        uint64_t milliseconds;
        const char *text;
    } cases[] = {
        { 0, "0" },       { 1, "1ms" },      { 1000, "1s" },     { 1500, "1500ms" },  { 60000, "1m" },
        { 90000, "90s" }, { 3600000, "1h" }, { 86400000, "1d" }, { 90000000, "25h" }, { UINT64_C(1209600000), "14d" }
    };
    char text[DURATION_TEXT_SIZE];

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_string_equal(text_of_duration(cases[i].milliseconds, text), cases[i].text);
}

static void test_printable_texts(void **state)
{
    static const char *const good[] = {
        "",
        "a",
        "Hall B, line 3",
        "~",
        "mm/s",
        "m/s\xc2\xb2",
        "\xe6\xb3\xb5",
        "\xf0\x9f\x98\x80",
        "\xc2\xa0",
        "\xed\x9f\xbf",
        "\xee\x80\x80",
        "\xf4\x8f\xbf\xbd",
        "\xe0\xa0\x80",
        "\xf0\x90\x80\x80",
        "<script>",
        "'; DROP TABLE machine",
    };
    static const char *const bad[] = {
        "\n",
        "a\tb",
        "a\r",
        "\x1b[31m",
        "\x01",
        "\x7f",
        "\xc2\x80",
        "\xc2\x85",
        "\xc2\x9f", /* C1 */
        "\x80",
        "\xbf",
        "a\xff",
        "\xfe",
        "caf\xe9", /* no UTF-8 at all */
        "\xc0\xaf",
        "\xc1\xbf",
        "\xe0\x80\xaf",
        "\xe0\x9f\xbf",
        "\xf0\x80\x80\xaf",
        "\xf0\x8f\xbf\xbf", /* overlong */
        "\xed\xa0\x80",
        "\xed\xbf\xbf", /* surrogates */
        "\xe2\x80\xa8",
        "\xe2\x80\xa9",
        "a\xe2\x80\xae",
        "\xe2\x80\xaa",
        "\xe2\x81\xa6",
        "\xe2\x81\xa9", /* lines, directions */
        "\xf4\x90\x80\x80",
        "\xf5\x80\x80\x80",
        "\xf8\x88\x80\x80\x80", /* beyond U+10FFFF */
        "\xc2",
        "\xe6\xb3",
        "\xf0\x9f\x98",
        "\xc2"
        "a",
        "\xe6\xb3"
        "a",
        "\xe6"
        "ab", /* cut short */
    };

    (void)state;
    for (size_t i = 0; i < COUNT(good); i++)
        if (!text_printable(good[i], 64))
            fail_msg("refused: good[%zu]", i);
    for (size_t i = 0; i < COUNT(bad); i++)
        if (text_printable(bad[i], 64))
            fail_msg("taken: bad[%zu]", i);
}

static void test_printable_texts_have_room_for_their_end(void **state)
{
    (void)state;
    assert_true(text_printable("abc", 4));
    assert_false(text_printable("abc", 3));
    assert_true(text_printable("\xe6\xb3\xb5", 4)); /* bytes, not characters */
    assert_false(text_printable("\xe6\xb3\xb5", 3));
    assert_true(text_printable("", 1));
    assert_false(text_printable("a", 1));
}

static void test_cleaned_texts(void **state)
{
    static const struct {
        const char *before, *after;
    } rows[] = {
        { "", "" },
        { "plain", "plain" },
        { "caf\xc3\xa9", "caf\xc3\xa9" },
        { "\xff\xfe{\n}", "??{?}" },
        { "cut in the middle \xe6\xb3", "cut in the middle ??" },
        { "\xe6z", "?z" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char text[64];

        snprintf(text, sizeof(text), "%s", rows[i].before);
        text_clean(text, '?');
        assert_string_equal(text, rows[i].after);
    }
}

static void test_ascii(void **state)
{
    (void)state;
    assert_true(text_ascii(""));
    assert_true(text_ascii("mm/s"));
    assert_false(text_ascii("m/s\xc2\xb2"));
    assert_false(text_ascii("\xc2\xb0"
                            "C"));
}

/* Every code point in its only encoding. */
static void test_printable_code_points(void **state)
{
    (void)state;
    for (uint32_t code = 1; code < 0x110000; code++) {
        unsigned char text[5] = { 0 };
        bool control = code < 0x20 || (code >= 0x7f && code < 0xa0), surrogate = code >= 0xd800 && code < 0xe000;

        if (code < 0x80) {
            text[0] = (unsigned char)code;
        } else if (code < 0x800) {
            text[0] = (unsigned char)(0xc0 | code >> 6);
            text[1] = (unsigned char)(0x80 | (code & 0x3f));
        } else if (code < 0x10000) {
            text[0] = (unsigned char)(0xe0 | code >> 12);
            text[1] = (unsigned char)(0x80 | (code >> 6 & 0x3f));
            text[2] = (unsigned char)(0x80 | (code & 0x3f));
        } else {
            text[0] = (unsigned char)(0xf0 | code >> 18);
            text[1] = (unsigned char)(0x80 | (code >> 12 & 0x3f));
            text[2] = (unsigned char)(0x80 | (code >> 6 & 0x3f));
            text[3] = (unsigned char)(0x80 | (code & 0x3f));
        }
        if ((control || surrogate) && text_printable((const char *)text, sizeof(text)))
            fail_msg("taken: U+%04X", (unsigned int)code);
        if (code >= 0xa0 && code < 0x2000 && !text_printable((const char *)text, sizeof(text)))
            fail_msg("refused: U+%04X", (unsigned int)code);
    }
}

static const struct {
    const char *pattern, *id;
    bool match;
} matches[] = {
    { "pump-1", "pump-1", true }, { "pump-1", "pump-10", false },
    { "pump-1", "pump-", false }, { "pump-1", "Pump-1", false },
    { "*", "a", true },           { "*", SIXTY, true },
    { "**", "a", true },          { "?", "a", true },
    { "?", "ab", false },         { "??", "a", false },
    { "pump-*", "pump-", true },  { "pump-*", "pump-17", true },
    { "pump-*", "pump", false },  { "pump-*", "a-pump-1", false },
    { "pump-?", "pump-1", true }, { "pump-?", "pump-12", false },
    { "*-1", "pump-1", true },    { "*-1", "pump-1-1", true },
    { "*-1", "pump-12", false },  { "a*b*c", "abc", true },
    { "a*b*c", "aXbYc", true },   { "a*b*c", "aXcYb", false },
    { "a*ab", "aab", true },      { "a*ab", "aaab", true },
    { "a*ab", "ab", false },      { "*?", "a", true },
    { "*??", "a", false },        { "?*?", "ab", true },
};

static void test_patterns(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(matches); i++)
        if (pattern_match(matches[i].pattern, matches[i].id) != matches[i].match)
            fail_msg("'%s' on '%s'", matches[i].pattern, matches[i].id);
}

/* The slow, obvious twin. */
static bool slow_match(const char *pattern, const char *id)
{
    if (!pattern[0])
        return !id[0];
    if (pattern[0] == '*')
        return slow_match(pattern + 1, id) || (id[0] && slow_match(pattern, id + 1));
    return id[0] && (pattern[0] == '?' || pattern[0] == id[0]) && slow_match(pattern + 1, id + 1);
}

static void test_patterns_like_their_slow_twin(void **state)
{
    uint64_t seed = chance_seed();
    unsigned int matched = 0;

    (void)state;
    for (int i = 0; i < 200000; i++) {
        char pattern[9] = { 0 }, id[11] = { 0 };

        for (uint32_t j = chance_below(&seed, 8) + 1; j-- > 0;)
            pattern[j] = "ab*?"[chance_below(&seed, 4)];
        for (uint32_t j = chance_below(&seed, 10) + 1; j-- > 0;)
            id[j] = "ab"[chance_below(&seed, 2)];
        if (pattern_match(pattern, id) != slow_match(pattern, id))
            fail_msg("'%s' on '%s'", pattern, id);
        matched += slow_match(pattern, id);
    }
    assert_in_range(matched, 20000, 180000); /* both answers were asked for */
}

/* 31 stars over 64 letters: backtracking over every star would not end this year; the test program's time limit is the check. */
static void test_pathological_patterns(void **state)
{
    static const char letters[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

    (void)state;
    assert_int_equal(strlen(letters), 64);
    for (int i = 0; i < 1000; i++) {
        assert_false(pattern_match("a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b", letters));
        assert_false(pattern_match("*?*?*?*?*?*?*?*?*?*?*?*?*?*?*?*?*?*?*?*?*?*?*?*?*?*?*?*?*?*?*?*b", letters));
        assert_true(pattern_match("a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a", letters));
    }
}

static void test_weights(void **state)
{
    (void)state;
    assert_int_equal(pattern_weight("*"), 0);
    assert_int_equal(pattern_weight("?*?"), 0);
    assert_int_equal(pattern_weight("pump-*"), 5);
    assert_int_equal(pattern_weight("pump-?"), 5);
    assert_int_equal(pattern_weight("pump-1"), 6);
    assert_int_equal(pattern_weight("*-*-1"), 3);
}

static void test_valid_patterns(void **state)
{
    static const char *const good[] = { "*", "?", "a", "-", "_", "pump-*", SIXTY "abcd", "**??" };
    static const char *const bad[] = { "",     SIXTY "abcde", "a b", "a/b",   "+",        "#",
                                       "[ab]", "a.b",         "\\*", "{a,b}", "\xc3\xa9", "a\n" };

    (void)state;
    for (size_t i = 0; i < COUNT(good); i++)
        if (!pattern_valid(good[i]))
            fail_msg("refused: %s", good[i]);
    for (size_t i = 0; i < COUNT(bad); i++)
        if (pattern_valid(bad[i]))
            fail_msg("taken: '%s'", bad[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_machine_ids),
        cmocka_unit_test(test_machine_ids_end_at_their_length),
        cmocka_unit_test(test_machine_ids_byte_by_byte),
        cmocka_unit_test(test_gateway_ids),
        cmocka_unit_test(test_unsigned_numbers),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_numbers_in_another_locale),
        cmocka_unit_test(test_durations),
        cmocka_unit_test(test_durations_round_trip),
        cmocka_unit_test(test_durations_in_the_largest_unit),
        cmocka_unit_test(test_printable_texts),
        cmocka_unit_test(test_printable_texts_have_room_for_their_end),
        cmocka_unit_test(test_printable_code_points),
        cmocka_unit_test(test_cleaned_texts),
        cmocka_unit_test(test_ascii),
        cmocka_unit_test(test_patterns),
        cmocka_unit_test(test_patterns_like_their_slow_twin),
        cmocka_unit_test(test_pathological_patterns),
        cmocka_unit_test(test_weights),
        cmocka_unit_test(test_valid_patterns),
    };

    return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
