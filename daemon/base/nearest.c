#include "base/nearest.h"

#include <string.h>

enum { LONGEST = 32, FAR = 3 };

static unsigned int least(unsigned int a, unsigned int b, unsigned int c)
{
    unsigned int ab = a < b ? a : b;

    return ab < c ? ab : c;
}

/* Levenshtein's distance: letters to insert, delete or replace. One row of the table is enough. */
static unsigned int distance(const char *a, const char *b)
{
    size_t length_a = strlen(a), length_b = strlen(b);
    unsigned int row[LONGEST + 1], diagonal, above;

    if (length_a > LONGEST || length_b > LONGEST)
        return FAR;
    for (size_t j = 0; j <= length_b; j++)
        row[j] = (unsigned int)j;
    for (size_t i = 1; i <= length_a; i++) {
        diagonal = row[0];
        row[0] = (unsigned int)i;
        for (size_t j = 1; j <= length_b; j++) {
            above = row[j];
            row[j] = least(row[j - 1] + 1, above + 1, diagonal + (a[i - 1] != b[j - 1]));
            diagonal = above;
        }
    }
    return row[length_b];
}

void nearest_offer(struct nearest *nearest, const char *misspelt, const char *known)
{
    unsigned int d = distance(misspelt, known);

    if (d >= FAR || d >= strlen(known) || (nearest->word && d >= nearest->distance))
        return;
    nearest->word = known;
    nearest->distance = d;
}
