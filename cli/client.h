/* The daemon over HTTP: requests, answers as JSON, and its problems in words. */
#ifndef HABIT_CLI_CLIENT_H
#define HABIT_CLI_CLIENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CLIENT_URL "http://127.0.0.1:8088"

struct client;

struct request {
    const char *method; /* "GET", "POST" */
    const char *path;   /* "/v1/machines?after=..." : escaped by the caller */
    const char *type;   /* of the body; NULL = JSON */
    const void *body;   /* NULL = none */
    size_t size;
};

struct reply {
    long status;  /* of HTTP */
    json_t *json; /* NULL where the body is none */
};

/* The token comes from the file that $HABIT_TOKEN_FILE names, and the CA that signed the daemon's certificate from $HABIT_CA: a secret
 * among the arguments could be read by everybody on the host. A token is not sent in clear text beyond this host.
 *
 * url: NULL = $HABIT_URL, else CLIENT_URL. Returns 0, or EXIT_FAILED after saying why. */
int client_open(struct client **ret_client, const char *url);

/* Sends and waits, at most a minute. Returns 0 with an answer of any status, reply_free() it; or EXIT_FAILED after saying why
 * the daemon could not be reached. */
int client_send(struct client *client, const struct request *request, struct reply *reply);
void reply_free(struct reply *reply);

/* The bytes of the last answer, whatever they are; valid until the next request. */
void client_body(const struct client *client, const void **bytes, size_t *size);

/* A text for a query; free() it. NULL without memory. */
char *client_escape(struct client *client, const char *text);

/* Says what a refusal is about, in the daemon's words: "habit: WHAT: detail (field, status)". Returns EXIT_FAILED. */
int client_complain(const char *what, const struct reply *reply);

/* GETs a path that must answer 200 with JSON: the caller's reference in *ret_json. Returns 0 or EXIT_FAILED. */
int client_get(struct client *client, const char *path, json_t **ret_json);

/* The rows of a list: member `array` of what `path` answers, and with `all` those of the further pages, whose cursor "next"
 * goes into "after=". Returns 0 or EXIT_FAILED. */
int client_get_rows(struct client *client, const char *path, const char *array, bool all, json_t **ret_rows);

/* GETs lines of JSON (NDJSON) as an array: the caller's reference in *ret_rows. Returns 0 or EXIT_FAILED. */
int client_get_lines(struct client *client, const char *path, json_t **ret_rows);

/* An answer of any length, as it comes. */
struct incoming {
    const char *path;
    int64_t after; /* the last event that was seen, for a stream of them; -1 = none; only where events */
    bool events;   /* ask for a stream of events */
    bool quiet;    /* a connection that is refused or lost is not complained of */
    long silence;  /* seconds without a byte after which it is given up */
    bool (*take)(void *user, const char *bytes, size_t size); /* false ends it */
    void *user;
};

/* GETs it. Returns 0 at its end; EXIT_FAILED after saying why where the daemon refuses, the connection breaks off, or `take` says so; and
 * CLIENT_LOST, where `quiet` allows it, after the connection could not be made or broke off. */
enum { CLIENT_LOST = -1 };
int client_receive(struct client *client, const struct incoming *incoming);

/* How many bytes the answer that comes in has; 0 = unknown. For `take`. */
unsigned long long client_expected(const struct client *client);

/* Why the connection was lost; valid until the next request. */
const char *client_reason(const struct client *client);

/* GETs bytes of any kind; free() them. Returns 0 or EXIT_FAILED. */
int client_get_bytes(struct client *client, const char *path, void **ret_bytes, size_t *ret_size);

/* NULL is fine; always returns NULL. */
struct client *client_close(struct client *client);

#endif
