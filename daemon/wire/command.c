#include "wire/command.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "wire/document.h"
#include "wire/dump.h"
#include "wire/json.h"
#include "wire/parse.h"

enum { ID_SIZE = 65 };

/* Numbers come as reals; one that was whole goes back as it came. */
static json_t *build_id(const json_t *id)
{
    double number = json_number_value(id);

    if (json_is_string(id))
        return json_string(json_string_value(id));
    if (json_is_number(id))
        return number == floor(number) && fabs(number) < 9007199254740992.0 ? json_integer((json_int_t)number)
                                                                            : json_real(number);
    return json_null();
}

static int check_id(const json_t *id, struct refusal *refusal)
{
    if (!id || json_is_null(id) || json_is_number(id) ||
        (json_is_string(id) && strlen(json_string_value(id)) < ID_SIZE))
        return 0;
    return refuse(refusal, REFUSAL_RANGE, "id", "id is a number, or a text of at most %d bytes", ID_SIZE - 1);
}

static char *dump_any(json_t *value)
{
    char *text = value ? wire_dump_value(value, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;

    json_decref(value);
    return text;
}

/* Takes root. */
static int take_apart(json_t *root, char **id, char **rest, struct refusal *refusal)
{
    int r = json_is_object(root) ? check_id(json_object_get(root, "id"), refusal)
                                 : refuse(refusal, REFUSAL_REQUEST, "", "a command is a JSON object, or nothing");

    if (r != 0) {
        json_decref(root);
        return r;
    }
    *id = dump_any(build_id(json_object_get(root, "id")));
    json_object_del(root, "id");
    *rest = wire_dump(root);
    if (*id && *rest)
        return 0;
    free(*id);
    free(*rest);
    *id = *rest = NULL;
    return fault(-ENOMEM);
}

int wire_take_command(const void *bytes, size_t size, char **id, char **rest, struct refusal *refusal)
{
    json_t *root = NULL;
    int r = size > 0 ? wire_load(bytes, size, &root, refusal) : wire_load("{}", 2, &root, refusal);

    *id = *rest = NULL;
    return r != 0 ? r : take_apart(root, id, rest, refusal);
}

static json_t *build_head(const char *machine, const char *verb, const char *id, bool ok)
{
    json_t *answer = json_object();

    wire_put(&answer, "machine", json_string(machine));
    wire_put(&answer, "command", wire_text(verb));
    wire_put(&answer, "id", wire_parse_text(id ? id : "null"));
    wire_put(&answer, "ok", json_boolean(ok));
    return answer;
}

char *wire_command_done(const struct machine_view *view, const char *verb, const char *id)
{
    json_t *answer = build_head(view->id, verb, id, true);

    wire_put(&answer, "phase", json_string(phase_name((enum phase)view->state.phase)));
    wire_put(&answer, "learned", json_integer(view->learning.learned));
    wire_put(&answer, "sensitivity", wire_float(view->settings.sensitivity));
    wire_put(&answer, "anomaly", wire_id(view->state.anomaly));
    return wire_dump(answer);
}

char *wire_command_refused(const char *machine, const char *verb, const char *id, const struct refusal *refusal)
{
    json_t *answer = build_head(machine, verb, id, false);
    char *problem = wire_problem(refusal);

    wire_put(&answer, "problem", wire_parse_text(problem));
    free(problem);
    return wire_dump(answer);
}
