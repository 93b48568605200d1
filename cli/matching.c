#include "matching.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "message.h"
#include "progress.h"

static int check_patterns(const struct command *command, const struct words *patterns)
{
    for (size_t i = 0; i < patterns->count; i++)
        if (!pattern_valid(patterns->word[i]))
            return options_refuse(command, "'%s' is no pattern of machine IDs: letters, digits, _, -, * and ?",
                                  patterns->word[i]);
    return 0;
}

static bool matches(const struct words *patterns, const char *id)
{
    for (size_t i = 0; i < patterns->count; i++)
        if (pattern_match(patterns->word[i], id))
            return true;
    return false;
}

static const char *id_of(const json_t *row)
{
    return json_string_value(json_object_get(row, "machine"));
}

/* The path with the ID at its "%s". */
static void make_path(const char *pattern, const char *id, char *path, size_t size)
{
    const char *mark = strstr(pattern, "%s");

    snprintf(path, size, "%.*s%s%s", (int)(mark - pattern), pattern, id, mark + 2);
}

static void note_done(const struct matching *matching, struct progress *progress, const json_t *row, json_t *answer)
{
    const char *done = matching->became ? matching->became(row) : matching->done;

    if (done) {
        progress_hide(progress);
        printf("%s: %s\n", id_of(row), done);
        fflush(stdout);
    }
    if (matching->answers && answer)
        json_array_append(matching->answers, answer);
}

static int post_one(struct client *client, const struct matching *matching, struct progress *progress,
                    const json_t *row)
{
    const char *id = id_of(row);
    char path[128];
    struct request request = { .method = matching->method ? matching->method : "POST",
                               .path = path,
                               .body = matching->body };
    struct reply reply;
    int r;

    request.size = matching->body ? strlen(matching->body) : 0;
    make_path(matching->path, id, path, sizeof(path));
    r = client_send(client, &request, &reply);
    if (r == 0 && (reply.status < 200 || reply.status > 299))
        r = client_complain(id, &reply);
    else if (r == 0)
        note_done(matching, progress, row, reply.json);
    reply_free(&reply);
    return r;
}

static int post_all(struct client *client, const struct matching *matching, const json_t *rows)
{
    struct progress progress;
    size_t i, matched = 0;
    const json_t *row;
    int worst = 0;

    progress_begin(&progress, "machines", json_array_size(rows), false);
    json_array_foreach((json_t *)rows, i, row)
    {
        const char *id = id_of(row);
        int r;

        if (!id || !machine_id_valid(id, strlen(id)) || !matches(matching->patterns, id))
            continue;
        matched++;
        r = post_one(client, matching, &progress, row);
        worst = r != 0 ? r : worst;
        progress_step(&progress, i + 1);
    }
    progress_end(&progress);
    if (matched > 0)
        return worst;
    complain("none of %zu IDs in %s matches %s%s%s%s", json_array_size(rows), matching->array,
             matching->patterns->word[0], matching->patterns->count > 1 ? " or the others" : "",
             matching->otherwise ? ": " : "", matching->otherwise ? matching->otherwise : "");
    return EXIT_FAILED;
}

int matching_post(const struct command *command, const struct matching *matching)
{
    struct client *client = NULL;
    json_t *rows = NULL;
    int r = check_patterns(command, matching->patterns);

    if (r == 0)
        r = client_open(&client, matching->url);
    if (r == 0)
        r = client_get_rows(client, matching->list, matching->array, true, &rows);
    if (r == 0)
        r = post_all(client, matching, rows);
    json_decref(rows);
    client_close(client);
    return r;
}
