#include "line.h"

#include <string.h>

enum { DIGITS = 9 }; /* tell any two floats apart */

void line_start(struct line *line, char *text, size_t size)
{
    *line = (struct line){ .text = text, .size = size };
    text[0] = '\0';
}

static void add(struct line *line, char c)
{
    if (line->length + 1 >= line->size)
        return;
    line->text[line->length++] = c;
    line->text[line->length] = '\0';
}

void line_add(struct line *line, const char *text)
{
    while (*text != '\0')
        add(line, *text++);
}

void line_add_unsigned(struct line *line, uint32_t number)
{
    char digits[11], *digit = &digits[sizeof(digits) - 1];

    *digit = '\0';
    do
        *--digit = (char)('0' + number % 10);
    while ((number /= 10) > 0);
    line_add(line, digit);
}

/* Binary floating point with 60 bits: mantissa x 2^exponent, the mantissa in 2^59 .. 2^60. */
struct wide {
    uint64_t mantissa;
    int exponent;
};

static void normalise(struct wide *x)
{
    for (; x->mantissa >> 60 != 0; x->exponent++)
        x->mantissa >>= 1;
    for (; x->mantissa >> 59 == 0; x->exponent--)
        x->mantissa <<= 1;
}

/* The integer next to x, of two the even one, for values of 10^8 .. 10^9 and a little around; far from it 0 or the largest. */
static uint32_t nearest(const struct wide *x)
{
    uint64_t half, rest;
    uint32_t value;

    if (x->exponent > -30)
        return UINT32_MAX;
    if (x->exponent < -34)
        return 0;
    half = (uint64_t)1 << (-x->exponent - 1);
    rest = x->mantissa & (2 * half - 1);
    value = (uint32_t)(x->mantissa >> -x->exponent);
    return rest > half || (rest == half && value % 2 != 0) ? value + 1 : value;
}

/* The digits of a number > 0 as an integer of DIGITS digits, and the power of ten of the first. */
static uint32_t decimal(float number, int *power)
{
    struct wide x;
    uint32_t bits;

    memcpy(&bits, &number, 4);
    x = (struct wide){ .mantissa = (bits & 0x7fffffu) | 0x800000u, .exponent = (int)(bits >> 23) - 150 };
    *power = DIGITS - 1;
    for (normalise(&x); nearest(&x) < 100000000u; normalise(&x), --*power)
        x.mantissa *= 10;
    for (; nearest(&x) >= 1000000000u; normalise(&x), ++*power)
        x.mantissa /= 10;
    return nearest(&x);
}

/* digits without the zeros at the end, with a point behind the first `before` of them. */
static void add_digits(struct line *line, const char *digits, int before)
{
    int count = DIGITS;

    while (count > 1 && digits[count - 1] == '0')
        count--;
    if (before <= 0)
        line_add(line, "0.");
    for (int i = before; i < 0; i++)
        add(line, '0');
    for (int i = 0; i < count || i < before; i++) {
        if (i == before && i > 0)
            add(line, '.');
        add(line, i < count ? digits[i] : '0');
    }
}

void line_add_float(struct line *line, float number)
{
    char digits[DIGITS];
    uint32_t value;
    int power;

    if (!(number > 0.0f)) {
        line_add(line, "0");
        return;
    }
    value = decimal(number, &power);
    for (int i = DIGITS - 1; i >= 0; i--, value /= 10)
        digits[i] = (char)('0' + value % 10);
    if (power >= -4 && power < DIGITS) {
        add_digits(line, digits, power + 1);
        return;
    }
    add_digits(line, digits, 1);
    line_add(line, power < 0 ? "e-" : "e+");
    line_add(line, power > -10 && power < 10 ? "0" : "");
    line_add_unsigned(line, (uint32_t)(power < 0 ? -power : power));
}
