#include "verdict.h"

#include <stdio.h>

static char count(struct verdict *verdict, bool held)
{
    verdict->required++;
    verdict->missed += !held;
    return held ? ' ' : '!';
}

static bool low_enough(const struct verdict *verdict, struct interval figure, double bound)
{
    return (verdict->quick ? figure.low : figure.mean) <= bound;
}

static bool high_enough(const struct verdict *verdict, struct interval figure, double bound)
{
    return (verdict->quick ? figure.high : figure.mean) >= bound;
}

char require_at_most(struct verdict *verdict, struct interval figure, double bound)
{
    return count(verdict, low_enough(verdict, figure, bound));
}

char require_at_least(struct verdict *verdict, struct interval figure, double bound)
{
    return count(verdict, high_enough(verdict, figure, bound));
}

char require_between(struct verdict *verdict, struct interval figure, double least, double most)
{
    return count(verdict, high_enough(verdict, figure, least) && low_enough(verdict, figure, most));
}

int verdict_end(const struct verdict *verdict)
{
    printf("\n%u figures required, %u missed (marked !)%s\n", verdict->required, verdict->missed,
           verdict->quick ? "; quick: a figure is missed where its interval excludes the bound" : "");
    return verdict->missed > 0 ? 1 : 0;
}
