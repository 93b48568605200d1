#include "wire/numbers.h"

#include <float.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"

/* Functions that read give the place behind what they read, NULL where jansson has to look. */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static const char *skip_space(const char *at, const char *end)
{
    while (at < end && (*at == ' ' || *at == '\t' || *at == '\n' || *at == '\r'))
        at++;
    return at;
}

/* ----------------------------------------------------------------------------------------------------------- a number */

enum { MOST_DIGITS = 19 /* that 64 bits hold */, TENS = 22 /* the highest power of ten that a double holds exactly */ };

struct decimal {
    const char *from, *to; /* in the text */
    uint64_t digits;
    int count;    /* of digits, without zeros in front */
    int exponent; /* of ten, for digits as a whole number */
    bool negative;
};

static const char *read_digits(struct decimal *decimal, const char *at, const char *end)
{
    uint64_t digits = decimal->digits;
    int count = decimal->count;

    for (; at < end && is_digit(*at); at++) {
        digits = digits * 10 + (uint64_t)(*at - '0'); /* beyond MOST_DIGITS nobody looks at it */
        count += count > 0 || *at != '0';
    }
    decimal->digits = digits;
    decimal->count = count;
    return at;
}

/* Behind the 'e'. */
static const char *read_exponent(struct decimal *decimal, const char *at, const char *end)
{
    bool negative = at < end && *at == '-';
    int exponent = 0;

    at += at < end && (*at == '-' || *at == '+');
    if (at == end || !is_digit(*at))
        return NULL;
    for (; at < end && is_digit(*at); at++)
        exponent = exponent < 1000 ? exponent * 10 + (*at - '0') : exponent;
    decimal->exponent += negative ? -exponent : exponent;
    return at;
}

/* As RFC 8259 has it: no plus, no zero in front, digits on both sides of a point. */
static const char *read_decimal(struct decimal *decimal, const char *at, const char *end)
{
    const char *point;

    *decimal = (struct decimal){ .from = at, .negative = at < end && *at == '-' };
    at += decimal->negative;
    if (at == end || !is_digit(*at))
        return NULL;
    at = *at == '0' ? at + 1 : read_digits(decimal, at, end);
    if (at < end && *at == '.') {
        point = ++at;
        at = read_digits(decimal, at, end);
        decimal->exponent = (int)(point - at);
        if (at == point)
            return NULL;
    }
    if (at < end && (*at == 'e' || *at == 'E'))
        at = read_exponent(decimal, at + 1, end);
    decimal->to = at;
    return at;
}

/* A double with an error of a few units in its last place becomes the same float as the exact one, unless it lies next to the middle
 * between two floats. Below FLT_MIN floats have fewer bits, beyond 1e38 there are none. */
static bool round_to_float(double number, float *value)
{
    enum { HALF = 1 << 28, BELOW_FLOAT = 2 * HALF - 1, CLOSE = 16 };
    uint64_t bits;
    int64_t off;

    memcpy(&bits, &number, sizeof(bits));
    off = (int64_t)(bits & BELOW_FLOAT) - HALF;
    if ((off >= -CLOSE && off <= CLOSE) || !(number >= (double)FLT_MIN && number <= 1e38))
        return false;
    *value = (float)number;
    return true;
}

/* Where the digits fit and powers of ten are exact, three roundings at most. */
static bool convert_quickly(const struct decimal *decimal, float *value)
{
    static const double tens[TENS + 1] = { 1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                           1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22 };
    double number = (double)decimal->digits;
    int exponent = decimal->exponent;

    if (decimal->count > MOST_DIGITS || exponent < -2 * TENS || exponent > TENS)
        return false;
    if (decimal->digits == 0) {
        *value = 0;
        return true;
    }
    if (exponent < -TENS) {
        number /= tens[TENS];
        exponent += TENS;
    }
    return round_to_float(exponent < 0 ? number / tens[-exponent] : number * tens[exponent], value);
}

static bool convert_slowly(const struct decimal *decimal, float *value)
{
    size_t size = (size_t)(decimal->to - decimal->from);
    char text[64];
    double number;

    if (size >= sizeof(text))
        return false;
    memcpy(text, decimal->from, size);
    text[size] = '\0';
    number = fabs(strtod(text, NULL));
    *value = (float)number;
    return number <= 1e38;
}

static const char *read_number(float *value, const char *at, const char *end)
{
    struct decimal decimal;

    at = read_decimal(&decimal, at, end);
    if (!at || (!convert_quickly(&decimal, value) && !convert_slowly(&decimal, value)))
        return NULL;
    if (decimal.negative)
        *value = -*value;
    return at;
}

/* ---------------------------------------------------------------------------------------------------------- the array */

/* From the bracket on, into values with room for `room`. */
static const char *read_array(float *values, size_t room, size_t *count, const char *at, const char *end)
{
    at = skip_space(at + 1, end);
    for (*count = 0; *count < room; at = skip_space(at + 1, end)) {
        at = read_number(&values[*count], at, end);
        if (!at)
            return NULL;
        ++*count;
        at = skip_space(at, end);
        if (at == end || *at != ',')
            return at < end && *at == ']' ? at + 1 : NULL;
    }
    return NULL;
}

/* So few that all commas of the text are surely within what wire_load takes. */
enum { MOST_NUMBERS = LIMIT_NUMBERS - NUMBERS_BESIDE };

/* at: where the array is. */
static const char *take_array(struct numbers *numbers, const char *at, const char *end)
{
    size_t room = (size_t)(end - at) / 2, most = MOST_NUMBERS;

    if (at == end || *at != '[')
        return NULL;
    room = room < most ? room : most;
    numbers->from = at;
    numbers->values = malloc((room + 1) * sizeof(float));
    numbers->to = numbers->values ? read_array(numbers->values, room, &numbers->count, at, end) : NULL;
    return numbers->to;
}

/* ----------------------------------------------------------------------------------------------------------- the path */

/* A text without escapes; *size: of what stands between the quotes. */
static const char *read_name(const char *at, const char *end, size_t *size)
{
    const char *from = at + 1;

    if (at == end || *at != '"')
        return NULL;
    for (at = from; at < end && *at != '"'; at++)
        if (*at == '\\' || (unsigned char)*at < 0x20)
            return NULL;
    *size = (size_t)(at - from);
    return at < end ? at + 1 : NULL;
}

static const char *skip_text(const char *at, const char *end)
{
    for (at++; at < end && *at != '"'; at++)
        if (*at == '\\' && ++at == end)
            return NULL;
    return at < end ? at + 1 : NULL;
}

/* To the comma or bracket behind a value. Whether it is one, jansson finds out. */
static const char *skip_value(const char *at, const char *end)
{
    size_t depth = 0;

    while (at && at < end) {
        if (*at == '"') {
            at = skip_text(at, end);
            continue;
        }
        if (depth == 0 && (*at == ',' || *at == '}' || *at == ']'))
            return at;
        depth += *at == '{' || *at == '[';
        depth -= *at == '}' || *at == ']';
        at++;
    }
    return NULL;
}

/* The value of a member; `at` is its object's bracket. */
static const char *find_member(const char *at, const char *end, const char *name, size_t length)
{
    size_t size;

    if (at == end || *at != '{')
        return NULL;
    do {
        const char *found = skip_space(at + 1, end);

        at = read_name(found, end, &size);
        at = at ? skip_space(at, end) : NULL;
        if (!at || at == end || *at != ':')
            return NULL;
        at = skip_space(at + 1, end);
        if (size == length && memcmp(found + 1, name, length) == 0)
            return at;
        at = skip_value(at, end);
    } while (at && *at == ',');
    return NULL;
}

static const char *follow(const char *at, const char *end, const char *path)
{
    while (at && *path != '\0') {
        size_t length = strcspn(path, ".");

        at = find_member(at, end, path, length);
        path += length + (path[length] == '.');
    }
    return at;
}

bool numbers_read(const char *text, size_t size, const char *path, struct numbers *numbers)
{
    const char *end = text + size, *at = skip_space(text, end);

    if (at == end || *at != '[' || strcmp(path, "data") != 0)
        at = follow(at, end, path);
    *numbers = (struct numbers){ 0 };
    if (at && take_array(numbers, at, end) && size - (size_t)(numbers->to - numbers->from) <= NUMBERS_BESIDE)
        return true;
    free(numbers->values);
    *numbers = (struct numbers){ 0 };
    return false;
}
