#include "wire/writer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "wire/dump.h"
#include "wire/json.h"

/* ------------------------------------------------------------------------------------------------------------- bytes */

enum { FIRST_ROOM = 1024 };

static bool make_room(struct writer *writer, size_t more)
{
    size_t room = writer->room > 0 ? writer->room : FIRST_ROOM;
    char *bytes;

    while (room < writer->size + more)
        room *= 2;
    if (room == writer->room)
        return true;
    bytes = writer->failed ? NULL : realloc(writer->bytes, room);
    if (!bytes) {
        writer->failed = true;
        return false;
    }
    writer->bytes = bytes;
    writer->room = room;
    return true;
}

static void put(struct writer *writer, const char *bytes, size_t size)
{
    if (writer->failed || !make_room(writer, size))
        return;
    memcpy(writer->bytes + writer->size, bytes, size);
    writer->size += size;
}

static void put_byte(struct writer *writer, char byte)
{
    put(writer, &byte, 1);
}

static void put_string(struct writer *writer, const char *text)
{
    put(writer, text, strlen(text));
}

static void begin(struct writer *writer)
{
    if (writer->comma)
        put_byte(writer, ',');
    writer->comma = true;
}

void writer_open(struct writer *writer, char bracket)
{
    begin(writer);
    put_byte(writer, bracket);
    writer->comma = false;
}

void writer_close(struct writer *writer, char bracket)
{
    put_byte(writer, bracket);
    writer->comma = true;
}

void writer_name(struct writer *writer, const char *name)
{
    begin(writer);
    put_byte(writer, '"');
    put_string(writer, name);
    put(writer, "\":", 2);
    writer->comma = false;
}

char *writer_take(struct writer *writer)
{
    char *bytes;

    put_byte(writer, '\0');
    bytes = writer->bytes;
    if (writer->failed) {
        free(bytes);
        bytes = NULL;
    }
    *writer = (struct writer){ 0 };
    return bytes;
}

/* ------------------------------------------------------------------------------------------------------------ values */

void writer_null(struct writer *writer)
{
    begin(writer);
    put(writer, "null", 4);
}

void writer_truth(struct writer *writer, bool truth)
{
    begin(writer);
    put_string(writer, truth ? "true" : "false");
}

/* From the last digit on, in front of `end`. Returns the first. */
static char *digits_before(char *end, uint64_t number)
{
    do
        *--end = (char)('0' + number % 10);
    while ((number /= 10) > 0);
    return end;
}

void writer_integer(struct writer *writer, int64_t number)
{
    char text[24], *end = text + sizeof(text);
    char *first = digits_before(end, number < 0 ? 0 - (uint64_t)number : (uint64_t)number);

    if (number < 0)
        *--first = '-';
    begin(writer);
    put(writer, first, (size_t)(end - first));
}

/* A text needs no look at its characters where all are ordinary ASCII. */
static bool is_plain(const char *text)
{
    for (; *text != '\0'; text++)
        if (*text == '"' || *text == '\\' || (unsigned char)*text < 0x20 || (unsigned char)*text >= 0x7f)
            return false;
    return true;
}

/* What is to be escaped, or is no ASCII, is rare: jansson knows how. */
static void put_odd_text(struct writer *writer, const char *text)
{
    json_t *value = wire_text(text);
    char *dumped = value ? wire_dump_value(value, JSON_ENCODE_ANY) : NULL;

    if (dumped)
        put_string(writer, dumped);
    writer->failed = writer->failed || !dumped;
    free(dumped);
    json_decref(value);
}

void writer_text(struct writer *writer, const char *text)
{
    if (!text) {
        writer_null(writer);
        return;
    }
    begin(writer);
    if (!is_plain(text)) {
        put_odd_text(writer, text);
        return;
    }
    put_byte(writer, '"');
    put_string(writer, text);
    put_byte(writer, '"');
}

void writer_time(struct writer *writer, int64_t wall)
{
    char text[CLOCK_TEXT_SIZE];

    writer_text(writer, wall == 0 ? NULL : clock_text(wall, text));
}

void writer_id(struct writer *writer, int64_t id)
{
    if (id == 0)
        writer_null(writer);
    else
        writer_integer(writer, id);
}

/* ----------------------------------------------------------------------------------------------------------- figures */

enum {
    DIGITS = 6,
    LOWEST = -4,
    HIGHEST = 8 /* powers of ten of the first digit that are written without an exponent */
};

static const double tens[] = { 1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9 };

/* Power of ten of the first digit of a positive number within LOWEST .. HIGHEST. */
static int first_power(double number)
{
    int power = 0;

    while (power > LOWEST && number * tens[-power] < 1)
        power--;
    while (power >= 0 && power < HIGHEST && number >= tens[power + 1])
        power++;
    return power;
}

/* Six digits of the number as a whole one, and where its first digit stands. False where the last digit is not certain: the
 * scaled number is rounded once, so it is where it lies away from the middle between two. */
static bool six_digits(double number, uint64_t *digits, int *power)
{
    double scaled, off;

    *power = first_power(number);
    scaled = *power < DIGITS ? number * tens[DIGITS - 1 - *power] : number / tens[*power - DIGITS + 1];
    off = scaled - floor(scaled);
    if (!(scaled >= 1e5 && scaled < 999999.4) || fabs(off - 0.5) < 1e-6)
        return false;
    *digits = (uint64_t)(scaled + 0.5);
    return true;
}

/* 123456 with its first digit at power 1 is 12.3456. At least one digit stands behind the point. */
static void put_digits(struct writer *writer, uint64_t digits, int power)
{
    char text[DIGITS + 1], *first;
    int count = DIGITS, whole = power >= 0 ? power + 1 : 0;

    for (; digits % 10 == 0; digits /= 10)
        count--;
    first = digits_before(text + DIGITS, digits);
    if (whole == 0)
        put(writer, "0.000", (size_t)(1 - power));
    else
        put(writer, first, (size_t)(whole < count ? whole : count));
    if (whole > count)
        put(writer, "00000000", (size_t)(whole - count));
    if (whole > 0)
        put_byte(writer, '.');
    if (whole < count)
        put(writer, first + whole, (size_t)(count - whole));
    else
        put_byte(writer, '0');
}

/* As jansson writes a real: a point or an exponent in any case, and that without plus and leading zeros. */
static void put_slowly(struct writer *writer, double number, int digits)
{
    char text[40];
    char *exponent, *from;

    snprintf(text, sizeof(text), "%.*g", digits, number);
    snprintf(text, sizeof(text), "%.9g", strtod(text, NULL));
    exponent = strchr(text, 'e');
    if (!exponent && !strchr(text, '.'))
        memcpy(text + strlen(text), ".0", sizeof(".0"));
    if (exponent) {
        exponent += 1 + (exponent[1] == '-');
        from = exponent + strspn(exponent, "+0");
        memmove(exponent, from, strlen(from) + 1);
    }
    put_string(writer, text);
}

void writer_figure(struct writer *writer, double number)
{
    double size = fabs(number);
    uint64_t digits;
    int power;

    if (!isfinite(number)) {
        writer_null(writer);
        return;
    }
    begin(writer);
    if (!(size >= 1e-4 && size < 999999000.) || !six_digits(size, &digits, &power)) {
        put_slowly(writer, number, DIGITS);
        return;
    }
    if (number < 0)
        put_byte(writer, '-');
    put_digits(writer, digits, power);
}

void writer_float(struct writer *writer, float number)
{
    char text[40];
    int digits = DIGITS;

    if (!isfinite(number)) {
        writer_null(writer);
        return;
    }
    for (; digits < 9; digits++) {
        snprintf(text, sizeof(text), "%.*g", digits, (double)number);
        if (strtof(text, NULL) == number)
            break;
    }
    begin(writer);
    put_slowly(writer, (double)number, digits);
}
