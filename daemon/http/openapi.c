/* The description of the interface, OpenAPI 3.1: from the table of routes that dispatches, the table of settings, that of
 * refusals, and the shapes of documents in schemas.json. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http/answer.h"
#include "http/authorize.h"
#include "http/handlers.h"
#include "http/route.h"
#include "page/asset.h"
#include "record/hour.h"
#include "record/settings.h"

/* Text of ours, plain but for quotes. */
static void put_text(FILE *file, const char *text, size_t length)
{
    fputc('"', file);
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '"' || text[i] == '\\')
            fputc('\\', file);
        fputc(text[i], file);
    }
    fputc('"', file);
}

static void put_string(FILE *file, const char *text)
{
    put_text(file, text, strlen(text));
}

/* ------------------------------------------------------------------------------------------------------- parameters */

#define WHOLE       "{\"type\":\"integer\",\"minimum\":0}"
#define COUNT       "{\"type\":\"integer\",\"minimum\":1}"
#define MACHINE_ID  "{\"$ref\":\"#/components/schemas/MachineId\"}"
#define TEXT        "{\"type\":\"string\"}"
#define WHEN        "{\"type\":\"string\",\"examples\":[\"2026-11-22T13:19:31Z\"]}"
#define ONE_OF(...) "{\"enum\":[" __VA_ARGS__ "]}"

/* By name, the same in every route. */
static const struct parameter {
    const char *name, *schema, *about;
} parameters[] = {
    { "id", MACHINE_ID, "the machine" },
    { "n", WHOLE, "its number" },
    { "file", TEXT, "a file of the web page" },
    { "anomaly", COUNT, "those that raised this anomaly" },
    { "note", TEXT, "of a snapshot, for people" },
    { "limit", "{\"type\":\"integer\",\"minimum\":1,\"maximum\":1000,\"default\":100}", "rows of a page" },
    { "after", TEXT, "go on behind this: a cursor, an event's id, or a count, as the answer before gave it" },
    { "before", COUNT, "go on with anomalies below this number" },
    { "seq", "{\"type\":\"integer\",\"minimum\":0,\"maximum\":9007199254740991}",
      "number of the buffer: what was applied is not applied again" },
    { "boot", TEXT, "which start of the source: seq begins anew with each" },
    { "source", TEXT, "who numbers the buffers" },
    { "time", WHEN, "when the buffer was measured" },
    { "age_ms", WHOLE, "how long ago it was measured" },
    { "format", ONE_OF("\"f32\",\"i16\",\"i16be\""), "of a raw body; default: the machine's" },
    { "dry_run", ONE_OF("\"0\",\"1\",0,1"), "1: judge, and change nothing" },
    { "from", WHEN, "RFC 3339, or milliseconds since 1970" },
    { "to", WHEN, "the same; excluded" },
    { "step", TEXT, "whole hours (1h, 6h, 7d), or day" },
    { "machine", MACHINE_ID, "of this machine only" },
    { "asset", TEXT, "of machines of this asset only" },
    { "types", TEXT, "list of anomaly, event, report, state" },
    { "date", "{\"type\":\"string\",\"format\":\"date\"}", "civil day; default: today" },
    { "group", ONE_OF("\"asset\",\"fleet\""), "sums instead of machines" },
};

enum { PARAMETERS = sizeof(parameters) / sizeof(parameters[0]) };

/* A name that has no row is described as a text. */
static void put_parameter(FILE *file, const char *name, size_t length, const char *place, bool first)
{
    const struct parameter *row = NULL;

    for (size_t i = 0; i < PARAMETERS; i++)
        if (strlen(parameters[i].name) == length && memcmp(parameters[i].name, name, length) == 0)
            row = &parameters[i];
    fprintf(file, "%s{\"name\":", first ? "" : ",");
    put_text(file, name, length);
    fprintf(file, ",\"in\":\"%s\",\"required\":%s,\"schema\":%s,\"description\":", place,
            strcmp(place, "path") == 0 ? "true" : "false", row ? row->schema : TEXT);
    put_string(file, row ? row->about : "");
    fputc('}', file);
}

static void put_parameters(FILE *file, const struct route *route)
{
    const char *at = route->path;
    bool first = true;

    fputs(",\"parameters\":[", file);
    for (; (at = strchr(at, '{')); first = false) {
        at++;
        put_parameter(file, at, strcspn(at, "}"), "path", first);
    }
    for (at = route->parameters; *at != '\0'; first = false) {
        size_t length = strcspn(at, " ");

        put_parameter(file, at, length, "query", first);
        at += length + (at[length] == ' ');
    }
    fputc(']', file);
}

/* ------------------------------------------------------------------------------------------------ bodies and answers */

static void put_media(FILE *file, const char *type, const char *schema, size_t length, bool first)
{
    fprintf(file, "%s\"%s\":{", first ? "" : ",", type);
    if (length > 0)
        fprintf(file, "\"schema\":{\"$ref\":\"#/components/schemas/%.*s\"}", (int)length, schema);
    fputc('}', file);
}

/* What each kind of body may be beside JSON, which has a shape. */
enum { MOST_MEDIA = 3 };
static const struct {
    bool any, required;
    const char *media[MOST_MEDIA];
} body_kinds[BODIES] = {
    [BODY_EMPTY] = { true, false, { NULL } },
    [BODY_JSON] = { true, true, { NULL } },
    [BODY_OPTION] = { true, false, { NULL } },
    [BODY_BLOCK] = { true, true, { "application/octet-stream" } },
    [BODY_KEPT] = { true, false, { "application/octet-stream" } },
    [BODY_BUFFERS] = { true, true, { "application/octet-stream", "text/csv" } },
    [BODY_LINES] = { true, true, { "application/x-ndjson" } },
};

static void put_body(FILE *file, const struct route *route)
{
    const char *takes = route->body == BODY_EMPTY ? "Empty" : route->takes;
    bool first = takes[0] == '\0';

    if (!body_kinds[route->body].any)
        return;
    fprintf(file, ",\"requestBody\":{\"required\":%s,\"content\":{",
            body_kinds[route->body].required ? "true" : "false");
    if (!first)
        put_media(file, "application/json", takes, strlen(takes), true);
    for (size_t i = 0; i < MOST_MEDIA && body_kinds[route->body].media[i]; i++) {
        put_media(file, body_kinds[route->body].media[i], "", 0, first);
        first = false;
    }
    fputs("}}", file);
}

/* One word of "200:Machine 304": the part behind the colon is a media type where it has a slash. */
static void put_given(FILE *file, const char *what, size_t length, bool first)
{
    if (!memchr(what, '/', length)) {
        put_media(file, "application/json", what, length, first);
        return;
    }
    fprintf(file, "%s\"%.*s\":{}", first ? "" : ",", (int)length, what);
}

/* All words with the status that `at` begins with; they lie side by side. Returns the first one behind them. */
static const char *put_status(FILE *file, const char *at)
{
    const char *status = at;
    bool first = true;

    fprintf(file, "\"%.3s\":{\"description\":\"%s\"", status, status[0] == '2' ? "done" : "see the status");
    while (strncmp(at, status, 3) == 0) {
        size_t length = strcspn(at, " ");

        if (length > 4) {
            fputs(first ? ",\"content\":{" : "", file);
            put_given(file, at + 4, length - 4, first);
            first = false;
        }
        at += length + (at[length] == ' ');
    }
    fputs(first ? "}," : "}},", file);
    return at;
}

static void put_answers(FILE *file, const struct route *route)
{
    fputs(",\"responses\":{", file);
    for (const char *at = route->gives; *at != '\0';)
        at = put_status(file, at);
    fputs("\"default\":{\"$ref\":\"#/components/responses/Problem\"}}", file);
}

/* ------------------------------------------------------------------------------------------------------------ routes */

/* What it asks for, if anything: either of the two, with the scope in the place where OpenAPI has one. */
static void put_security(FILE *file, const struct route *route)
{
    char scope[24] = "";

    if (strcmp(route->scope, "any") != 0)
        snprintf(scope, sizeof(scope), "\"%s\"", route->scope);
    if (route->scope[0] == '\0')
        fputs(",\"security\":[]", file);
    else
        fprintf(file, ",\"security\":[{\"token\":[%s]},{\"session\":[%s]}]", scope, scope);
}

static void put_route(FILE *file, const struct route *route)
{
    fputc('"', file);
    for (const char *letter = route->method; *letter != '\0'; letter++)
        fputc(tolower((unsigned char)*letter), file);
    fputs("\":{\"summary\":", file);
    put_string(file, route->about);
    put_security(file, route);
    put_parameters(file, route);
    put_body(file, route);
    put_answers(file, route);
    fputc('}', file);
}

/* Whether an earlier row has the same path: it has described this one too. */
static bool is_described(const struct route *route)
{
    for (const struct route *earlier = routes; earlier != route; earlier++)
        if (strcmp(earlier->path, route->path) == 0)
            return true;
    return false;
}

static void put_paths(FILE *file)
{
    for (const struct route *route = routes; route->method; route++) {
        bool first = true;

        if (is_described(route))
            continue;
        fprintf(file, "%s\"%s\":{", route == routes ? "" : ",", route->path);
        for (const struct route *same = route; same->method; same++)
            if (strcmp(same->path, route->path) == 0) {
                fputs(first ? "" : ",", file);
                put_route(file, same);
                first = false;
            }
        fputc('}', file);
    }
}

/* ---------------------------------------------------------------------------------------------------------- schemas */

/* JSON types by type of setting: as they are given out, and as they are taken. */
static const struct {
    const char *given, *taken;
} setting_types[] = {
    [TYPE_UNSIGNED] = { "\"integer\"", "\"integer\"" },
    [TYPE_NUMBER] = { "\"number\"", "\"number\"" },
    [TYPE_DURATION] = { "\"string\"", "[\"string\",\"number\"]" },
    [TYPE_BOOLEAN] = { "\"boolean\"", "\"boolean\"" },
    [TYPE_LEARN] = { "\"string\"", "[\"string\",\"integer\"]" },
    [TYPE_START] = { NULL, NULL },
    [TYPE_BUFFERS] = { NULL, NULL },
};
_Static_assert(sizeof(setting_types) / sizeof(setting_types[0]) == SETTINGS_TYPES, "a row for each type");

static const char *setting_type(enum settings_type type, bool taken)
{
    const char *words = taken ? setting_types[type].taken : setting_types[type].given;

    return words ? words : "\"string\"";
}

static void put_setting(FILE *file, const struct settings_field *field, bool taken, bool or_null)
{
    const char *type = setting_type(field->type, taken);
    bool list = type[0] == '[';

    if (or_null) /* within one list of types */
        fprintf(file, "\"%s\":{\"type\":[%.*s,\"null\"]", field->key, (int)strlen(type) - 2 * list, type + list);
    else
        fprintf(file, "\"%s\":{\"type\":%s", field->key, type);
    if (field->type == TYPE_UNSIGNED || field->type == TYPE_NUMBER)
        fprintf(file, ",\"minimum\":%.9g,\"maximum\":%.9g", field->low, field->high);
    fputs(",\"description\":", file);
    put_string(file, field->help);
    fputc('}', file);
}

static void put_settings(FILE *file, const char *name, bool taken, bool or_null)
{
    fprintf(file, "\"%s\":{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{", name);
    for (size_t i = 0; i < SETTINGS_COUNT; i++) {
        fputs(i > 0 ? "," : "", file);
        put_setting(file, &settings_fields[i], taken, or_null);
    }
    fputs("}},", file);
}

static void put_counters(FILE *file)
{
    static const char *const counters[][2] = {
#define COUNTER(name, help) { #name, help },
        HOUR_COUNTERS(COUNTER)
#undef COUNTER
    };
    enum { COUNTERS = sizeof(counters) / sizeof(counters[0]) };

    fputs("\"HourCounters\":{\"type\":\"object\",\"properties\":{", file);
    for (size_t i = 0; i < COUNTERS; i++)
        fprintf(file, "%s\"%s\":{\"type\":\"integer\",\"minimum\":0,\"description\":\"%s\"}", i > 0 ? "," : "",
                counters[i][0], counters[i][1]);
    fputs("},\"required\":[", file);
    for (size_t i = 0; i < COUNTERS; i++)
        fprintf(file, "%s\"%s\"", i > 0 ? "," : "", counters[i][0]);
    fputs("]},", file);
}

static void put_problem(FILE *file)
{
    fputs("\"Problem\":{\"type\":\"object\",\"additionalProperties\":false,"
          "\"required\":[\"type\",\"title\",\"status\",\"detail\"],\"properties\":{\"type\":{\"oneOf\":[",
          file);
    for (int code = 1; code < REFUSAL_CODES; code++) {
        const struct refusal_kind *kind = refusal_kind((enum refusal_code)code);

        fprintf(file, "%s{\"const\":\"urn:habit:problem:%s\",\"description\":\"%d: %s\"}", code > 1 ? "," : "",
                kind->type, kind->status, kind->title);
    }
    fputs("]},\"title\":{\"type\":\"string\"},\"status\":{\"type\":\"integer\"},\"detail\":{\"type\":\"string\"},"
          "\"field\":{\"type\":\"string\"},\"limit\":{\"type\":\"integer\"}}},",
          file);
}

/* schemas.json is an object; its members go in, without the brace that opens it. */
static void put_schemas(FILE *file)
{
    const struct asset *written = route_file("schemas.json", strlen("schemas.json"));

    put_settings(file, "Settings", true, false);
    put_settings(file, "SettingsPatch", true, true);
    put_settings(file, "SettingsInForce", false, false);
    put_counters(file);
    put_problem(file);
    fwrite(written->bytes + 1, 1, written->size - 1, file);
}

/* Where [http] tokens is empty, nobody asks for either of them. */
static void put_schemes(FILE *file, const struct http *http)
{
    fprintf(file,
            "\"securitySchemes\":{\"token\":{\"type\":\"http\",\"scheme\":\"bearer\",\"description\":\"`habit token "
            "add` makes one; none is needed where [http] tokens is empty\"},\"session\":{\"type\":\"apiKey\",\"in\":"
            "\"cookie\",\"name\":\"%s\",\"description\":\"of POST /v1/login; changes need an Origin header of habitd's "
            "own too\"}},",
            cookie_name(http));
}

static void write_openapi(FILE *file, struct request *request)
{
    fputs(
        "{\"openapi\":\"3.1.0\",\"info\":{\"title\":\"habitd\",\"version\":\"" HABIT_VERSION
        "\",\"description\":\"learns what is normal for each machine, and says when it breaks its habit\"},\"paths\":{",
        file);
    put_paths(file);
    fputs("},\"components\":{\"responses\":{\"Problem\":{\"description\":\"refused, or failed: RFC 9457\",\"content\":{"
          "\"application/problem+json\":{\"schema\":{\"$ref\":\"#/components/schemas/Problem\"}}}}},",
          file);
    put_schemes(file, request->http);
    fputs("\"schemas\":{", file);
    put_schemas(file);
    fputs("}}", file);
}

int openapi_show(struct request *request)
{
    char *text = answer_text_of(request, write_openapi);

    return answer_take_json(request, MHD_HTTP_OK, text);
}
