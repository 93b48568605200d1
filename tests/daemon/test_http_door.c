/* Requests at the HTTP door without a socket, over functions with libmicrohttpd's names: what only many senders, other networks and
 * very long bodies show. */
#include "registry_bench.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../fuzz/library.h"
#include "http/connection.h"
#include "http/crowd.h"

struct door {
    struct bench *bench;
    struct http http;
    struct access *access;
};

static bool reload_refused(void *user)
{
    (void)user;
    return false;
}

static int open_door(void **state)
{
    struct door *door = calloc(1, sizeof(*door));

    assert_non_null(door);
    door->bench = bench_new();
    start(door->bench);
    pthread_mutex_init(&door->http.lock, NULL);
    pthread_cond_init(&door->http.idle, NULL);
    assert_int_equal(access_new(&door->access, false), 0);
    assert_int_equal(crowd_start(&door->http.crowd, 60000, 32), 0);
    door->http.options = (struct http_options){ .config = &door->bench->config,
                                                .access = door->access,
                                                .registry = door->bench->registry,
                                                .store = door->bench->store,
                                                .reload_refused = reload_refused,
                                                .socket = -1 };
    *state = door;
    return 0;
}

static int close_door(void **state)
{
    struct door *door = *state;

    crowd_stop(door->http.crowd);
    access_free(door->access);
    bench_free(door->bench);
    free(door);
    return 0;
}

static void require_tokens(struct door *door)
{
    access_free(door->access);
    assert_int_equal(access_new(&door->access, true), 0);
    door->http.options.access = door->access;
}

/* -------------------------------------------------------------------------------------------------------------- asking */

struct answer {
    unsigned int status;
    bool dropped; /* the connection was, without an answer */
    char body[2048], wait[16];
};

static enum MHD_Result deliver(struct MHD_Connection *connection, void **request, const char *bytes, size_t size)
{
    return connection_on_access(NULL, connection, connection->uri, connection->method, connection->version, bytes,
                                &size, request);
}

/* Delivers the body so many times. */
static enum MHD_Result run(struct MHD_Connection *connection, void **request, unsigned int times)
{
    enum MHD_Result result = deliver(connection, request, NULL, 0);

    for (; result == MHD_YES && connection->answers == 0 && connection->size > 0 && times > 0; times--)
        result = deliver(connection, request, connection->body, connection->size);
    if (result == MHD_YES && connection->answers == 0)
        result = deliver(connection, request, NULL, 0);
    return result;
}

static struct answer ask_long(struct door *door, const char *text, size_t size, unsigned int times)
{
    struct MHD_Connection connection;
    struct answer answer = { 0 };
    void *request;

    assert_true(fake_begin(&connection, &text, &size));
    request = connection_on_uri(&door->http, connection.uri, &connection);
    answer.dropped = run(&connection, &request, times) == MHD_NO;
    assert_int_equal(connection.answers, !answer.dropped);
    connection_on_completed(&door->http, &connection, &request, MHD_REQUEST_TERMINATED_COMPLETED_OK);
    answer.status = connection.status;
    if (connection.response) {
        const char *wait = fake_answer_header(&connection, "Retry-After");

        snprintf(answer.wait, sizeof(answer.wait), "%s", wait ? wait : "");
        snprintf(answer.body, sizeof(answer.body), "%.*s", (int)connection.response->size,
                 (const char *)connection.response->bytes);
    }
    fake_end(&connection);
    return answer;
}

static struct answer ask(struct door *door, const char *line, const char *headers)
{
    char text[1024];
    int size = snprintf(text, sizeof(text), "%s HTTP/1.1\r\nHost: localhost\r\n%s\r\n", line, headers);

    return ask_long(door, text, (size_t)size, 1);
}

/* ------------------------------------------------------------------------------------------------------------- senders */

static void come_from(const char *address)
{
    static struct sockaddr_in four;
    static struct sockaddr_in6 six;

    four = (struct sockaddr_in){ .sin_family = AF_INET };
    six = (struct sockaddr_in6){ .sin6_family = AF_INET6 };
    if (inet_pton(AF_INET, address, &four.sin_addr) == 1)
        fake_peer((const struct sockaddr *)&four);
    else if (inet_pton(AF_INET6, address, &six.sin6_addr) == 1)
        fake_peer((const struct sockaddr *)&six);
    else
        fail_msg("%s", address);
}

static struct answer guess(struct door *door)
{
    return ask(door, "GET /v1/machines", "Authorization: Bearer wrong\r\n");
}

/* Wrong tokens until that is answered otherwise. */
static void guess_until_stopped(struct door *door)
{
    unsigned int wrong = 0;

    while (guess(door).status == 401)
        assert_true(++wrong < 200);
    assert_true(wrong > 1);
    assert_int_equal(guess(door).status, 429);
    assert_true(atoi(guess(door).wait) > 0);
}

static void test_wrong_tokens_count_by_sender(void **state)
{
    struct door *door = *state;

    require_tokens(door);
    come_from("192.0.2.1");
    guess_until_stopped(door);
    come_from("::ffff:192.0.2.1"); /* the same, by a socket of both families */
    assert_int_equal(guess(door).status, 429);
    come_from("192.0.2.2");
    assert_int_equal(guess(door).status, 401);
    come_from("2001:db8:1:2::1");
    assert_int_equal(guess(door).status, 401);
    guess_until_stopped(door);
    come_from("2001:db8:1:2:ffff:ffff:ffff:ffff"); /* one network has 2^64 addresses */
    assert_int_equal(guess(door).status, 429);
    come_from("2001:db8:1:3::1");
    assert_int_equal(guess(door).status, 401);
    assert_int_equal(database_number(door->bench->path, "SELECT count(*) FROM audit"), 2); /* once for each */
    fake_peer(NULL);
}

/* --------------------------------------------------------------------------------------------------------------- bodies */

/* What grows beyond the limit is read on so that its sender gets the answer, but not for ever. */
static void test_bodies_without_an_end(void **state)
{
    static const char head[] = "POST /v1/buffers HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-ndjson\r\n"
                               "Transfer-Encoding: chunked\r\n\r\n";
    struct door *door = *state;
    const size_t part = LIMIT_BODY / 2, size = strlen(head) + part;
    char *text = malloc(size);
    struct answer answer;

    assert_non_null(text);
    memcpy(text, head, strlen(head));
    memset(text + strlen(head), '\n', part);
    answer = ask_long(door, text, size, 2);
    assert_false(answer.dropped || answer.status == 413);
    answer = ask_long(door, text, size, 3);
    assert_int_equal(answer.status, 413);
    assert_non_null(strstr(answer.body, "\"limit\":1048576"));
    answer = ask_long(door, text, size, 9);
    assert_int_equal(answer.status, 413);
    assert_true(ask_long(door, text, size, 12).dropped);
    free(text);
    assert_int_equal(door->http.under_way, 0);
}

/* ------------------------------------------------------------------------------------------------------------- queries */

static void test_times_in_queries(void **state)
{
    static const struct {
        const char *query;
        unsigned int status;
    } vectors[] = {
        { "from=2026-11-22T13:19:31Z", 200 },
        { "from=2026-11-22T13:19:31%2B01:00", 200 },
        { "from=2026-11-22T13:19:31+01:00", 200 }, /* decoded to a space: nothing else could be meant */
        { "from=1795353571000", 200 },
        { "from=0&to=9223372036854775807", 200 },
        { "from=9223372036854775808", 400 },
        { "from=-1", 400 },
        { "from=13:19", 400 },
        { "from=2026-11-22T13:19:31.000000000000000000000000000000000001Z", 400 },
        { "from=", 400 },
        { "from=1&from=2", 400 },
        { "since=1", 400 },
    };
    struct door *door = *state;

    for (size_t i = 0; i < COUNT(vectors); i++) {
        char line[160];

        snprintf(line, sizeof(line), "GET /v1/anomalies?%s", vectors[i].query);
        if (ask(door, line, "").status != vectors[i].status)
            fail_msg("%s", vectors[i].query);
    }
}

static void test_more_steps_than_an_answer_has(void **state)
{
    struct door *door = *state;
    struct answer answer;

    setenv("TZ", "UTC", 1);
    put(door->bench, "fan", geometry);
    answer = ask(door, "GET /v1/machines/fan/history?from=2026-01-01T00:00:00Z&to=2026-02-01T00:00:00Z&step=1h", "");
    assert_int_equal(answer.status, 200);
    answer = ask(door, "GET /v1/machines/fan/history?from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z", "");
    assert_int_equal(answer.status, 400);
    assert_non_null(strstr(answer.body, "\"field\":\"from\""));
    answer = ask(door, "GET /v1/machines/none/history", "");
    assert_int_equal(answer.status, 404);
}

static void test_notes_of_snapshots(void **state)
{
    struct door *door = *state;
    struct answer answer;
    char line[400], note[200];

    put(door->bench, "fan", geometry);
    learn(door->bench, "fan", 3);
    memset(note, 'n', sizeof(note));
    snprintf(line, sizeof(line), "POST /v1/machines/fan/snapshots?note=%.*s", SNAPSHOT_NOTE_SIZE, note);
    answer = ask(door, line, "");
    assert_int_equal(answer.status, 400);
    assert_non_null(strstr(answer.body, "\"field\":\"note\""));
    snprintf(line, sizeof(line), "POST /v1/machines/fan/snapshots?note=%.*s", SNAPSHOT_NOTE_SIZE - 1, note);
    answer = ask(door, line, "");
    assert_int_equal(answer.status, 201);
    assert_non_null(strstr(answer.body, "nnnnnnnn"));
}

int main(void)
{
#define DOOR(name) cmocka_unit_test_setup_teardown(name, open_door, close_door)
    const struct CMUnitTest tests[] = {
        DOOR(test_wrong_tokens_count_by_sender),  DOOR(test_bodies_without_an_end), DOOR(test_times_in_queries),
        DOOR(test_more_steps_than_an_answer_has), DOOR(test_notes_of_snapshots),
    };

    return cmocka_run_group_tests_name("http_door", tests, NULL, NULL);
}
