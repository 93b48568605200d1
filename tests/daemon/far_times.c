/* Times beyond what 32 bits of seconds hold, both ways; built by far_times.py where time_t has no more. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"

static const struct {
    const char *text;
    int64_t wall;
} moments[] = {
    { "0000-01-01T00:00:00.000Z", INT64_C(-62167219200000) },
    { "1900-02-28T23:59:59.999Z", INT64_C(-2203891200001) },
    { "1969-12-31T23:59:58.999Z", -1001 },
    { "2026-11-22T13:19:31.250Z", INT64_C(1795353571250) },
    { "2038-01-19T03:14:08.000Z", INT64_C(2147483648000) },
    { "2100-03-01T00:00:00.000Z", INT64_C(4107542400000) },
    { "9999-12-31T23:59:59.999Z", INT64_C(253402300799999) },
};

int main(void)
{
    int wrong = 0;

    for (size_t i = 0; i < sizeof(moments) / sizeof(moments[0]); i++) {
        char text[CLOCK_TEXT_SIZE];
        int64_t wall = 0;

        if (clock_parse(moments[i].text, &wall) == 0 && wall == moments[i].wall &&
            strcmp(clock_text(wall, text), moments[i].text) == 0)
            continue;
        printf("%s: read as %" PRId64 ", written as %s\n", moments[i].text, wall, clock_text(moments[i].wall, text));
        wrong = 1;
    }
    printf("%zu bits of time_t\n", 8 * sizeof(time_t));
    return wrong;
}
