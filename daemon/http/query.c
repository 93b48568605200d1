#include "http/query.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { QUERY_PARAMETERS = 16, PAGE_DEFAULT = 100 };

/* --------------------------------------------------------------------------------------------------------- checking */

struct check {
    struct request *request;
    const char *seen[QUERY_PARAMETERS];
    size_t count;
    int r;
};

/* Whether a list of words by spaces has this one. */
static bool has_word(const char *words, const char *word)
{
    size_t wanted = strlen(word);

    while (*words != '\0') {
        size_t length = strcspn(words, " ");

        if (length == wanted && memcmp(words, word, length) == 0)
            return true;
        words += length + (words[length] == ' ');
    }
    return false;
}

static bool was_seen(const struct check *check, const char *name)
{
    for (size_t i = 0; i < check->count; i++)
        if (strcmp(check->seen[i], name) == 0)
            return true;
    return false;
}

static int check_parameter(struct check *check, const char *name, const char *value)
{
    struct request *request = check->request;
    const char *known = request->route->parameters;

    if (!has_word(known, name))
        return refuse(&request->refusal, REFUSAL_REQUEST, name, "no parameter %.40s here, only: %s", name,
                      known[0] != '\0' ? known : "none");
    if (!value || value[0] == '\0')
        return refuse(&request->refusal, REFUSAL_REQUEST, name, "%s has no value", name);
    if (was_seen(check, name) || check->count >= QUERY_PARAMETERS)
        return refuse(&request->refusal, REFUSAL_REQUEST, name, "%s comes twice", name);
    check->seen[check->count++] = name;
    return 0;
}

static enum MHD_Result on_parameter(void *user, enum MHD_ValueKind kind, const char *name, const char *value)
{
    struct check *check = user;

    (void)kind;
    check->r = check_parameter(check, name, value);
    return check->r == 0 ? MHD_YES : MHD_NO;
}

int query_check(struct request *request)
{
    struct check check = { .request = request };

    MHD_get_connection_values(request->connection, MHD_GET_ARGUMENT_KIND, on_parameter, &check);
    return check.r;
}

/* ---------------------------------------------------------------------------------------------------------- reading */

const char *query_text(struct request *request, const char *name)
{
    return MHD_lookup_connection_value(request->connection, MHD_GET_ARGUMENT_KIND, name);
}

int query_number(struct request *request, const char *name, uint64_t low, uint64_t high, uint64_t fallback,
                 uint64_t *value)
{
    const char *text = query_text(request, name);

    *value = fallback;
    if (text && (!text_to_unsigned(text, high, value) || *value < low))
        return refuse(&request->refusal, REFUSAL_REQUEST, name, "%s is a whole number from %" PRIu64 " to %" PRIu64,
                      name, low, high);
    return 0;
}

/* A query turns "+01:00" into " 01:00" unless its plus was escaped: nothing else could be meant. */
static bool parse_time(const char *text, int64_t *wall)
{
    char copy[48];
    uint64_t milliseconds;

    if (text_to_unsigned(text, INT64_MAX, &milliseconds)) {
        *wall = (int64_t)milliseconds;
        return true;
    }
    if (strlen(text) >= sizeof(copy))
        return false;
    snprintf(copy, sizeof(copy), "%s", text);
    if (strchr(copy, ' '))
        *strchr(copy, ' ') = '+';
    return clock_parse(copy, wall) == 0;
}

int query_time(struct request *request, const char *name, int64_t *wall)
{
    const char *text = query_text(request, name);

    *wall = 0;
    if (text && !parse_time(text, wall))
        return refuse(&request->refusal, REFUSAL_REQUEST, name,
                      "%s is RFC 3339, such as 2026-11-22T13:19:31Z, or milliseconds since 1970", name);
    if (text && *wall == 0) /* which stands for not given; nothing was then */
        *wall = 1;
    return 0;
}

int query_machine(struct request *request, const char *name, const char **id)
{
    *id = query_text(request, name);
    if (*id && !machine_id_valid(*id, strlen(*id)))
        return refuse(&request->refusal, REFUSAL_MACHINE_ID, name, "%s is not a machine ID: " MACHINE_ID_RULE, name);
    return 0;
}

int query_limit(struct request *request, size_t *limit)
{
    uint64_t value;
    int r = query_number(request, "limit", 1, LIMIT_PAGE, PAGE_DEFAULT, &value);

    *limit = (size_t)value;
    return r;
}
