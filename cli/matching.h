/* What commands do to every ID of the daemon that matches a pattern. */
#ifndef HABIT_CLI_MATCHING_H
#define HABIT_CLI_MATCHING_H

#include "client.h"
#include "options.h"

struct matching {
    const char *url;
    const char *list, *array;     /* where the IDs are: "/v1/machines", "machines" */
    const struct words *patterns; /* '*' any run, '?' any one character */
    const char *method;           /* NULL = POST */
    const char *path;             /* the ID at its %s: "/v1/machines/%s/commission" */
    const char *body;             /* JSON; NULL = none */
    const char *done;             /* said of each: "learning"; NULL = nothing */
    const char *(*became)(
        const json_t *row); /* of the list, as it was before: said in the place of `done`; NULL = none */
    const char *otherwise;  /* what to do where nothing matches; NULL = nothing */
    json_t *answers;        /* an array that takes what the daemon answers; NULL = nobody asks */
};

/* Prints each ID and what became of it; goes on after a refusal. Returns 0; EXIT_USAGE for what is no pattern; EXIT_FAILED
 * where nothing matched, the daemon refused something or cannot be reached. */
int matching_post(const struct command *command, const struct matching *matching);

#endif
