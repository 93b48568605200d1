#include "client.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "message.h"
#include "options.h"
#include "setup_paths.h"

enum { ANSWER_BYTES = 64 << 20, SECONDS = 60 };

struct client {
    CURL *curl;
    char *url;           /* without a slash at its end */
    bool tls, here;      /* it is https; it is of this host */
    char *authorization; /* header; NULL = no token */
    char error[CURL_ERROR_SIZE];
    char *body; /* of the answer, bounded */
    size_t size;
};

/* --------------------------------------------------------------------------------------------------- open and close */

static char *base_url(const char *url)
{
    const char *variable = getenv("HABIT_URL");
    char *base = strdup(url ? url : variable && *variable ? variable : CLIENT_URL);
    size_t length = base ? strlen(base) : 0;

    while (length > 0 && base[length - 1] == '/')
        base[--length] = '\0';
    return base;
}

/* ------------------------------------------------------------------------------------------------------------- token */

static bool is_loopback(const char *host)
{
    struct in_addr four;

    if (inet_pton(AF_INET, host, &four) == 1)
        return ntohl(four.s_addr) >> 24 == IN_LOOPBACKNET;
    return strcasecmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0;
}

/* As curl itself takes the URL apart: what a text begins with may be a user, or the first part of a name. */
static void look_at_url(struct client *client)
{
    CURLU *parts = curl_url();
    char *scheme = NULL, *host = NULL;

    if (parts && curl_url_set(parts, CURLUPART_URL, client->url, CURLU_GUESS_SCHEME) == CURLUE_OK &&
        curl_url_get(parts, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
        curl_url_get(parts, CURLUPART_HOST, &host, 0) == CURLUE_OK) {
        client->tls = strcmp(scheme, "https") == 0;
        client->here = is_loopback(host);
    }
    curl_free(scheme);
    curl_free(host);
    curl_url_cleanup(parts);
}

/* The first line of the file, as a header. Returns 0, or EXIT_FAILED after saying why. */
static int read_token(struct client *client)
{
    const char *path = getenv("HABIT_TOKEN_FILE");
    char token[256] = "";
    FILE *file;

    if (!path || *path == '\0')
        return 0;
    if (!client->tls && !client->here) {
        complain("%s: a token is not sent in clear text over the network: use https", client->url);
        return EXIT_FAILED;
    }
    file = fopen(path, "re");
    if (!file)
        return complain_errno("read", path);
    if (!fgets(token, sizeof(token), file))
        token[0] = '\0';
    fclose(file);
    token[strcspn(token, "\r\n")] = '\0';
    if (token[0] == '\0')
        complain("%s: holds no token", path);
    if (token[0] == '\0' || asprintf(&client->authorization, "Authorization: Bearer %s", token) < 0)
        client->authorization = NULL;
    explicit_bzero(token, sizeof(token));
    return client->authorization ? 0 : EXIT_FAILED;
}

int client_open(struct client **ret_client, const char *url)
{
    struct client *client = calloc(1, sizeof(*client));

    if (client) {
        client->url = base_url(url);
        client->curl = curl_easy_init();
    }
    if (!client || !client->url || !client->curl) {
        client_close(client);
        complain("no memory for an HTTP client");
        return EXIT_FAILED;
    }
    look_at_url(client);
    if (read_token(client) != 0) {
        client_close(client);
        return EXIT_FAILED;
    }
    *ret_client = client;
    return 0;
}

struct client *client_close(struct client *client)
{
    if (!client)
        return NULL;
    curl_easy_cleanup(client->curl);
    if (client->authorization)
        explicit_bzero(client->authorization, strlen(client->authorization));
    free(client->authorization);
    free(client->url);
    free(client->body);
    free(client);
    return NULL;
}

/* ---------------------------------------------------------------------------------------------------------- requests */

static size_t collect(char *bytes, size_t one, size_t count, void *user)
{
    struct client *client = user;
    char *body;

    (void)one; /* always 1 */
    if (client->size + count > ANSWER_BYTES)
        return 0;
    body = realloc(client->body, client->size + count);
    if (!body)
        return 0;
    memcpy(body + client->size, bytes, count);
    client->body = body;
    client->size += count;
    return count;
}

static void prepare(struct client *client, const struct request *request, const char *url, struct curl_slist *headers)
{
    CURL *curl = client->curl;
    const char *ca = getenv("HABIT_CA");

    curl_easy_reset(curl); /* keeps the connection */
    if (ca && *ca != '\0')
        curl_easy_setopt(curl, CURLOPT_CAINFO, ca);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    if (client->here)
        curl_easy_setopt(curl, CURLOPT_PROXY, ""); /* whatever $http_proxy says: there, this host is another */
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request->method);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, client->error);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, collect);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, client);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)SECONDS);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    if (strcmp(request->method, "GET") == 0)
        return;
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request->body ? request->body : "");
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)request->size);
}

/* "Expect:" empty: a round trip less for larger bodies. */
static struct curl_slist *make_headers(const struct client *client, const struct request *request)
{
    struct curl_slist *headers = curl_slist_append(NULL, "Expect:");
    char type[96];

    if (client->authorization)
        headers = curl_slist_append(headers, client->authorization);

    snprintf(type, sizeof(type), "Content-Type: %s", request->type ? request->type : "application/json");
    return request->body ? curl_slist_append(headers, type) : headers;
}

#define TLS_ADVICE                                                                                              \
    "; where it is on the network it speaks TLS: say https:// in HABIT_URL, the CA's file in HABIT_CA and the " \
    "token's "                                                                                                  \
    "file in HABIT_TOKEN_FILE"

/* What to do about a connection that fails; of what has no row, curl's reason says it. */
static const struct {
    CURLcode code;
    bool tls; /* of a URL with https:// */
    const char *text;
} advices[] = {
    { CURLE_GOT_NOTHING, false, TLS_ADVICE },
    { CURLE_RECV_ERROR, false, TLS_ADVICE },
    { CURLE_COULDNT_CONNECT, false, "; is it running there? HABIT_URL or --url name another address" },
    { CURLE_COULDNT_CONNECT, true, "; is it running there? HABIT_URL or --url name another address" },
    { CURLE_SSL_CONNECT_ERROR, true, "; without TLS it is http://" },
    { CURLE_PEER_FAILED_VERIFICATION, true,
      "; HABIT_CA must name the file of the CA that signed its certificate (of `habit setup`: " SETUP_CA
      "), and the URL a name or address in it" },
    { CURLE_SSL_CACERT_BADFILE, true, "; it is the file that HABIT_CA names" },
};

static const char *advice_of(const struct client *client, CURLcode code)
{
    for (size_t i = 0; i < sizeof(advices) / sizeof(advices[0]); i++)
        if (advices[i].code == code && advices[i].tls == client->tls)
            return advices[i].text;
    return "";
}

static int complain_unreachable(const struct client *client, CURLcode code)
{
    complain("habitd does not answer at %s: %s%s", client->url,
             client->error[0] ? client->error : curl_easy_strerror(code), advice_of(client, code));
    return EXIT_FAILED;
}

int client_send(struct client *client, const struct request *request, struct reply *reply)
{
    struct curl_slist *headers = make_headers(client, request);
    char *url = NULL;
    CURLcode code;
    int r;

    *reply = (struct reply){ 0 };
    client->size = 0;
    client->error[0] = '\0';
    if (asprintf(&url, "%s%s", client->url, request->path) < 0)
        return complain_errno("hold", "a URL");
    prepare(client, request, url, headers);
    code = curl_easy_perform(client->curl);
    r = code == CURLE_OK ? 0 : complain_unreachable(client, code);
    if (r == 0) {
        curl_easy_getinfo(client->curl, CURLINFO_RESPONSE_CODE, &reply->status);
        reply->json = json_loadb(client->body ? client->body : "", client->size, 0, NULL);
    }
    curl_slist_free_all(headers);
    free(url);
    return r;
}

void client_body(const struct client *client, const void **bytes, size_t *size)
{
    *bytes = client->body ? client->body : "";
    *size = client->size;
}

char *client_escape(struct client *client, const char *text)
{
    char *escaped = curl_easy_escape(client->curl, text, 0);
    char *copy = escaped ? strdup(escaped) : NULL;

    curl_free(escaped);
    return copy;
}

void reply_free(struct reply *reply)
{
    json_decref(reply->json);
    reply->json = NULL;
}

/* ----------------------------------------------------------------------------------------------------------- answers */

/* habitd's own words are about a header; who types a command sets a variable. */
static int complain_of_token(const char *what, const struct reply *reply)
{
    const char *detail = json_string_value(json_object_get(reply->json, "detail"));
    const char *path = getenv("HABIT_TOKEN_FILE");

    if (path && *path)
        complain("%s: %s; the token is that of %s, which HABIT_TOKEN_FILE names (HTTP 401)", what,
                 detail ? detail : "habitd refused", path);
    else
        complain(
            "%s: habitd wants a token: HABIT_TOKEN_FILE must name a file with one; `habit token add` makes them (HTTP "
            "401)",
            what);
    return EXIT_FAILED;
}

/* The detail of RFC 9457; a proxy's answer may have none. */
int client_complain(const char *what, const struct reply *reply)
{
    const char *detail = json_string_value(json_object_get(reply->json, "detail"));
    const char *field = json_string_value(json_object_get(reply->json, "field"));

    if (reply->status == 401)
        return complain_of_token(what, reply);
    complain("%s: %s%s%s (HTTP %ld)", what, detail ? detail : "habitd refused", field && *field ? ", field " : "",
             field && *field ? field : "", reply->status);
    return EXIT_FAILED;
}

int client_get(struct client *client, const char *path, json_t **ret_json)
{
    struct request request = { .method = "GET", .path = path };
    struct reply reply;
    int r = client_send(client, &request, &reply);

    if (r == 0 && (reply.status != 200 || !reply.json))
        r = client_complain(path, &reply);
    if (r == 0)
        *ret_json = json_incref(reply.json);
    reply_free(&reply);
    return r;
}

/* The path of the page after a cursor, a text or a number; NULL when there is none. */
static char *next_path(struct client *client, const char *path, const json_t *cursor)
{
    char number[24], *escaped, *next = NULL;
    const char *text = json_string_value(cursor);

    if (json_is_integer(cursor)) {
        snprintf(number, sizeof(number), "%" JSON_INTEGER_FORMAT, json_integer_value(cursor));
        text = number;
    }
    escaped = text ? curl_easy_escape(client->curl, text, 0) : NULL;
    if (escaped && asprintf(&next, "%s%cafter=%s", path, strchr(path, '?') ? '&' : '?', escaped) < 0)
        next = NULL;
    curl_free(escaped);
    return next;
}

/* Moves the rows of one page, and *path to the next one: NULL when there is none. A cursor that stays would never end. */
static int get_page(struct client *client, const char *base, char **path, const char *array, json_t *rows)
{
    json_t *page = NULL;
    char *next = NULL;
    int r = client_get(client, *path, &page);

    if (r == 0) {
        json_array_extend(rows, json_object_get(page, array));
        next = next_path(client, base, json_object_get(page, "next"));
    }
    if (next && strcmp(next, *path) == 0) {
        free(next);
        next = NULL;
    }
    free(*path);
    *path = next;
    json_decref(page);
    return r;
}

int client_get_rows(struct client *client, const char *path, const char *array, bool all, json_t **ret_rows)
{
    json_t *rows = json_array();
    char *next = strdup(path);
    int r = 0;

    do
        r = next ? get_page(client, path, &next, array, rows) : EXIT_FAILED;
    while (r == 0 && all && next);
    free(next);
    if (r == 0)
        *ret_rows = rows;
    else
        json_decref(rows);
    return r;
}

/* ----------------------------------------------------------------------------------------------------- other bodies */

/* GETs what must be answered with 200; the body is the client's until the next request. */
static int get_body(struct client *client, const char *path)
{
    struct request request = { .method = "GET", .path = path };
    struct reply reply;
    int r = client_send(client, &request, &reply);

    if (r == 0 && reply.status != 200)
        r = client_complain(path, &reply);
    reply_free(&reply);
    return r;
}

int client_get_lines(struct client *client, const char *path, json_t **ret_rows)
{
    json_t *rows = json_array();
    int r = rows ? get_body(client, path) : complain_errno("hold", "an answer");
    const char *rest = client->body, *end = rest ? rest + client->size : NULL;

    while (r == 0 && rest && rest < end) {
        const char *newline = memchr(rest, '\n', (size_t)(end - rest));
        size_t length = (size_t)((newline ? newline : end) - rest);
        json_t *row = json_loadb(rest, length, 0, NULL);

        if (!row || json_array_append_new(rows, row) != 0) {
            complain("%s: habitd's answer is no JSON", path);
            r = EXIT_FAILED;
        }
        rest += length + (newline != NULL);
    }
    if (r == 0)
        *ret_rows = rows;
    else
        json_decref(rows);
    return r;
}

int client_get_bytes(struct client *client, const char *path, void **ret_bytes, size_t *ret_size)
{
    int r = get_body(client, path);

    if (r != 0)
        return r;
    *ret_bytes = malloc(client->size > 0 ? client->size : 1);
    if (!*ret_bytes)
        return complain_errno("hold", "an answer");
    memcpy(*ret_bytes, client->body ? client->body : "", client->size);
    *ret_size = client->size;
    return 0;
}

/* -------------------------------------------------------------------------------------------- answers of any length */

struct receiving {
    struct client *client;
    const struct incoming *incoming;
    bool ended; /* by take */
};

/* A refusal is collected as any other answer. */
static size_t hand_over(char *bytes, size_t one, size_t count, void *user)
{
    struct receiving *receiving = user;
    long status = 0;

    curl_easy_getinfo(receiving->client->curl, CURLINFO_RESPONSE_CODE, &status);
    if (status != 200)
        return collect(bytes, one, count, receiving->client);
    receiving->ended = !receiving->incoming->take(receiving->incoming->user, bytes, count);
    return receiving->ended ? 0 : count;
}

unsigned long long client_expected(const struct client *client)
{
    curl_off_t length = 0;

    curl_easy_getinfo(client->curl, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
    return length > 0 ? (unsigned long long)length : 0;
}

const char *client_reason(const struct client *client)
{
    return client->error[0] != '\0' ? client->error : "the connection was lost";
}

static int end_of(struct receiving *receiving, CURLcode code)
{
    struct client *client = receiving->client;
    struct reply reply = { 0 };
    int r;

    if (receiving->ended)
        return EXIT_FAILED;
    if (code != CURLE_OK && receiving->incoming->quiet)
        return CLIENT_LOST;
    if (code != CURLE_OK) {
        complain("%s%s: %s%s", client->url, receiving->incoming->path,
                 client->error[0] ? client->error : curl_easy_strerror(code), advice_of(client, code));
        return EXIT_FAILED;
    }
    curl_easy_getinfo(client->curl, CURLINFO_RESPONSE_CODE, &reply.status);
    if (reply.status == 200)
        return 0;
    reply.json = json_loadb(client->body ? client->body : "", client->size, 0, NULL);
    r = client_complain(receiving->incoming->path, &reply);
    reply_free(&reply);
    return r;
}

int client_receive(struct client *client, const struct incoming *incoming)
{
    const struct request request = { .method = "GET", .path = incoming->path };
    struct receiving receiving = { client, incoming, false };
    struct curl_slist *headers = make_headers(client, &request);
    char last[64], *url = NULL;
    CURLcode code;

    client->size = 0;
    client->error[0] = '\0';
    if (asprintf(&url, "%s%s", client->url, incoming->path) < 0)
        return complain_errno("hold", "a URL");
    if (incoming->events && incoming->after >= 0) {
        snprintf(last, sizeof(last), "Last-Event-ID: %" PRId64, incoming->after);
        headers = curl_slist_append(headers, last);
    }
    prepare(client, &request, url, headers);
    curl_easy_setopt(client->curl, CURLOPT_WRITEFUNCTION, hand_over);
    curl_easy_setopt(client->curl, CURLOPT_WRITEDATA, &receiving);
    curl_easy_setopt(client->curl, CURLOPT_TIMEOUT, 0L);
    curl_easy_setopt(client->curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(client->curl, CURLOPT_LOW_SPEED_TIME, incoming->silence);
    code = curl_easy_perform(client->curl);
    curl_slist_free_all(headers);
    free(url);
    return end_of(&receiving, code);
}
