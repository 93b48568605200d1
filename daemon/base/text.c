#include "base/text.h"

#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_alphanumeric(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool machine_id_valid(const char *id, size_t length)
{
    if (length < 1 || length >= MACHINE_ID_SIZE || !is_alphanumeric(id[0]))
        return false;
    for (size_t i = 1; i < length; i++)
        if (!is_alphanumeric(id[i]) && id[i] != '_' && id[i] != '-')
            return false;
    return true;
}

bool gateway_id_valid(const char *id)
{
    size_t length = strlen(id);

    if (length < 1 || length >= GATEWAY_ID_SIZE)
        return false;
    for (size_t i = 0; i < length; i++)
        if (!is_alphanumeric(id[i]) && id[i] != '-')
            return false;
    return true;
}

bool text_to_unsigned(const char *text, uint64_t max, uint64_t *value)
{
    uint64_t sum = 0;

    if (!is_digit(text[0]) || (text[0] == '0' && text[1] != '\0'))
        return false;
    for (; is_digit(*text); text++) {
        uint64_t digit = (uint64_t)(*text - '0');

        if (sum > (UINT64_MAX - digit) / 10)
            return false;
        sum = sum * 10 + digit;
    }
    if (*text != '\0' || sum > max)
        return false;
    *value = sum;
    return true;
}

/* Digits, at most one point with digits on both sides, an optional exponent: JSON's form. */
static bool number_form(const char *text)
{
    text += *text == '-';
    if (!is_digit(*text) || (text[0] == '0' && is_digit(text[1])))
        return false;
    while (is_digit(*text))
        text++;
    if (*text == '.') {
        if (!is_digit(*++text))
            return false;
        while (is_digit(*text))
            text++;
    }
    if (*text == 'e' || *text == 'E') {
        text++;
        text += *text == '+' || *text == '-';
        if (!is_digit(*text))
            return false;
        while (is_digit(*text))
            text++;
    }
    return *text == '\0';
}

/* In the C locale, so that a point is a point whatever the program around calls; glibc has it at hand, nothing is allocated. */
static double number_value(const char *text)
{
    locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    double number = c ? strtod_l(text, NULL, c) : NAN;

    if (c)
        freelocale(c);
    return number;
}

bool text_to_number(const char *text, double *value)
{
    double number;

    if (strlen(text) > 64 || !number_form(text))
        return false;
    number = number_value(text);
    if (!isfinite(number))
        return false;
    *value = number;
    return true;
}

static const struct {
    const char *suffix;
    uint64_t milliseconds;
} units[] = { { "d", 86400000 }, { "h", 3600000 }, { "m", 60000 }, { "s", 1000 }, { "ms", 1 }, { "", 1000 } };

enum { UNITS = sizeof(units) / sizeof(units[0]) };

bool text_to_duration(const char *text, uint64_t *milliseconds)
{
    size_t digits = strspn(text, "0123456789");
    char number[21]; /* UINT64_MAX has 20 digits */
    uint64_t value;

    if (digits == 0 || digits >= sizeof(number))
        return false;
    memcpy(number, text, digits);
    number[digits] = '\0';
    if (!text_to_unsigned(number, UINT64_MAX, &value))
        return false;
    for (size_t i = 0; i < UNITS; i++)
        if (strcmp(text + digits, units[i].suffix) == 0 && value <= UINT64_MAX / units[i].milliseconds) {
            *milliseconds = value * units[i].milliseconds;
            return true;
        }
    return false;
}

const char *text_of_duration(uint64_t milliseconds, char text[DURATION_TEXT_SIZE])
{
    size_t i = 0;

    while (milliseconds % units[i].milliseconds != 0)
        i++;
    snprintf(text, DURATION_TEXT_SIZE, "%llu%s", (unsigned long long)(milliseconds / units[i].milliseconds),
             milliseconds == 0 ? "" : units[i].suffix);
    return text;
}

/* Length of the UTF-8 sequence at text, 0 if it is not one or not printable. */
static size_t utf8_length(const unsigned char *text)
{
    size_t length = text[0] < 0x80                      ? 1
                    : text[0] >= 0xc2 && text[0] < 0xe0 ? 2
                    : (text[0] & 0xf0) == 0xe0          ? 3
                    : text[0] >= 0xf0 && text[0] < 0xf5 ? 4
                                                        : 0;

    if (length == 1)
        return text[0] >= 0x20 && text[0] != 0x7f;
    for (size_t i = 1; i < length; i++)
        if ((text[i] & 0xc0) != 0x80)
            return 0;
    if (length == 2 && text[0] == 0xc2 && text[1] < 0xa0) /* C1 controls */
        return 0;
    if (length == 3 && ((text[0] == 0xe0 && text[1] < 0xa0) || (text[0] == 0xed && text[1] >= 0xa0)))
        return 0; /* overlong, surrogates */
    if (length == 4 && ((text[0] == 0xf0 && text[1] < 0x90) || (text[0] == 0xf4 && text[1] >= 0x90)))
        return 0; /* overlong, beyond U+10FFFF */
    if (length == 3 && text[0] == 0xe2 &&
        ((text[1] == 0x80 && text[2] >= 0xa8 && text[2] <= 0xae) ||
         (text[1] == 0x81 && text[2] >= 0xa6 && text[2] <= 0xa9)))
        return 0; /* line separators, direction overrides and isolates: they would forge log lines */
    return length;
}

bool text_printable(const char *text, size_t size)
{
    const unsigned char *bytes = (const unsigned char *)text;

    if (strlen(text) >= size)
        return false;
    while (*bytes != '\0') {
        size_t length = utf8_length(bytes);

        if (length == 0)
            return false;
        bytes += length;
    }
    return true;
}

void text_clean(char *text, char by)
{
    while (*text != '\0') {
        size_t length = utf8_length((const unsigned char *)text);

        if (length == 0)
            *text = by;
        text += length > 0 ? length : 1;
    }
}

bool text_ascii(const char *text)
{
    while (*text != '\0' && (unsigned char)*text < 0x80) /* char has no sign on ARM */
        text++;
    return *text == '\0';
}

bool pattern_match(const char *pattern, const char *id)
{
    const char *star = NULL, *resume = id;

    while (*id != '\0') {
        if (*pattern == '*') {
            star = ++pattern;
            resume = id;
        } else if (*pattern == '?' || *pattern == *id) {
            pattern++;
            id++;
        } else if (star) {
            pattern = star;
            id = ++resume;
        } else {
            return false;
        }
    }
    while (*pattern == '*')
        pattern++;
    return *pattern == '\0';
}

unsigned int pattern_weight(const char *pattern)
{
    unsigned int weight = 0;

    for (; *pattern != '\0'; pattern++)
        weight += *pattern != '*' && *pattern != '?';
    return weight;
}

bool pattern_valid(const char *pattern)
{
    size_t length = strlen(pattern);

    if (length < 1 || length >= MACHINE_ID_SIZE)
        return false;
    for (size_t i = 0; i < length; i++)
        if (!is_alphanumeric(pattern[i]) && !strchr("_-*?", pattern[i]))
            return false;
    return true;
}
