/* The pure parts of the HTTP door: what a request may look like before anything of it is read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "http/guard.h"
#include "http/media.h"
#include "http/route.h"

static void test_uri(void **state)
{
    static const struct {
        const char *uri;
        bool good;
    } vectors[] = {
        { "/", true },
        { "/v1/machines", true },
        { "/v1/machines/", true }, /* no such route, but nothing wrong with it */
        { "/v1/machines/pump-1/detect?seq=1&boot=a%20b", true },
        { "/v1/anomalies?from=2026-11-22T00%3A00%3A00%2B01:00", true },
        { "/v1/reports/daily?date=..", true },
        { "/v1/machines/%41", true }, /* the machine ID is read as sent, so this is none */
        { "/v1/machines/...", true },
        { "/v1/a?asset=a%2Fb", true },
        { "", false },
        { "*", false },
        { "http://localhost/v1/machines", false },
        { "v1/machines", false },
        { "/v1/..", false },
        { "/v1/../etc", false },
        { "/v1/./machines", false },
        { "/v1/%2e%2e/etc", false },
        { "/v1/machines/a%2Fb", false },
        { "/v1/machines/a%5cb", false },
        { "/v1/machines/a%00b", false },
        { "/v1/anomalies?machine=a%00b", false },
        { "/v1/anomalies?machine=%0a", false },
        { "/v1/%zz", false },
        { "/v1/%", false },
        { "/v1/%2", false },
        { "/v1/machines/a b", false },
        { "/v1/machines/a%20b", false },
        { "/v1/machines/\x7f", false },
        { "/v1/machines/\xc3\xbc", false },
        { "/v1/machines/\t", false },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++)
        if (guard_uri(vectors[i].uri, NULL) != (vectors[i].good ? 0 : REFUSAL_REQUEST))
            fail_msg("%s", vectors[i].uri);
}

static void test_uri_too_long(void **state)
{
    char uri[2050];

    (void)state;
    memset(uri, 'a', sizeof(uri));
    uri[0] = '/';
    uri[2049] = '\0';
    assert_int_equal(guard_uri(uri, NULL), REFUSAL_REQUEST);
    uri[2048] = '\0';
    assert_int_equal(guard_uri(uri, NULL), 0);
}

static void test_framing(void **state)
{
    static const struct {
        const char *version, *length, *transfer;
        int code;
        uint64_t announced;
    } vectors[] = {
        { "HTTP/1.1", NULL, NULL, 0, 0 },
        { "HTTP/1.1", "0", NULL, 0, 0 },
        { "HTTP/1.1", "1048576", NULL, 0, 1048576 },
        { "HTTP/1.1", "007", NULL, 0, 7 },
        { "HTTP/1.1", "9223372036854775808", NULL, 0, 9223372036854775808u },
        { "HTTP/1.1", "1000000000000000000000000000000", NULL, 0, UINT64_MAX - 1 },
        { "HTTP/1.0", "5", NULL, 0, 5 },
        { "HTTP/1.1", NULL, "chunked", 0, UINT64_MAX },
        { "HTTP/1.1", NULL, "Chunked", 0, UINT64_MAX },
        { "HTTP/1.1", "+5", NULL, REFUSAL_REQUEST, 0 },
        { "HTTP/1.1", "-1", NULL, REFUSAL_REQUEST, 0 },
        { "HTTP/1.1", "0x5", NULL, REFUSAL_REQUEST, 0 },
        { "HTTP/1.1", "", NULL, REFUSAL_REQUEST, 0 },
        { "HTTP/1.1", "5,5", NULL, REFUSAL_REQUEST, 0 },
        { "HTTP/1.1", "5 5", NULL, REFUSAL_REQUEST, 0 },
        { "HTTP/1.1", "5", "chunked", REFUSAL_REQUEST, 0 },
        { "HTTP/1.1", NULL, "xchunked", REFUSAL_REQUEST, 0 },
        { "HTTP/1.1", NULL, "identity", REFUSAL_REQUEST, 0 },
        { "HTTP/1.1", NULL, "gzip, chunked", REFUSAL_REQUEST, 0 },
        { "HTTP/1.0", NULL, "chunked", REFUSAL_REQUEST, 0 },
        { "HTTP/2.0", NULL, NULL, REFUSAL_REQUEST, 0 },
        { "HTTP/0.9", NULL, NULL, REFUSAL_REQUEST, 0 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
        const struct guard_headers headers = {
            .length = { vectors[i].length, vectors[i].length ? 1 : 0 },
            .transfer = { vectors[i].transfer, vectors[i].transfer ? 1 : 0 },
        };
        uint64_t length;
        int r = guard_framing(&headers, vectors[i].version, &length, NULL);

        if (r != vectors[i].code || (r == 0 && length != vectors[i].announced))
            fail_msg("vector %zu: %d", i, r);
    }
}

static void test_framing_doubt(void **state)
{
    const struct guard_headers twice = { .length = { "5", 2 } }, hosts = { .host = { "localhost", 2 } },
                               odd = { .odd = true }, expect = { .expect = { "junk", 1 } };
    uint64_t length;

    (void)state;
    assert_int_equal(guard_framing(&twice, "HTTP/1.1", &length, NULL), REFUSAL_REQUEST);
    assert_int_equal(guard_framing(&hosts, "HTTP/1.1", &length, NULL), REFUSAL_REQUEST);
    assert_int_equal(guard_framing(&odd, "HTTP/1.1", &length, NULL), REFUSAL_REQUEST);
    assert_int_equal(guard_framing(&expect, "HTTP/1.1", &length, NULL), REFUSAL_REQUEST);
}

static void test_host(void **state)
{
    static const struct {
        const char *host, *origin;
        int code;
    } vectors[] = {
        { "localhost", NULL, 0 },
        { "LocalHost:8088", NULL, 0 },
        { "127.0.0.1:1", NULL, 0 },
        { "[::1]:8088", NULL, 0 },
        { "127.0.0.7:8088", NULL, 0 }, /* configured */
        { NULL, NULL, 0 },             /* HTTP/1.0; libmicrohttpd refuses it in 1.1 */
        { "localhost:8088", "http://localhost:8088", 0 },
        { "evil.example", NULL, REFUSAL_HOST },
        { "localhost.evil.example", NULL, REFUSAL_HOST },
        { "localhost:", NULL, REFUSAL_HOST },
        { "localhost:80x", NULL, REFUSAL_HOST },
        { "127.0.0.2", NULL, REFUSAL_HOST },
        { "", NULL, REFUSAL_HOST },
        { "user@localhost", NULL, REFUSAL_HOST },
        { "localhost:8088", "http://localhost:3000", REFUSAL_ORIGIN },
        { "localhost:8088", "https://localhost:8088", REFUSAL_ORIGIN },
        { "localhost:8088", "http://evil.example", REFUSAL_ORIGIN },
        { "localhost:8088", "null", REFUSAL_ORIGIN },
        { NULL, "http://localhost", REFUSAL_ORIGIN },
    };

    const struct guard_place place = { .address = "127.0.0.7", .names = "" };

    (void)state;
    for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
        const struct guard_headers headers = { .host = { vectors[i].host, 1 }, .origin = { vectors[i].origin, 1 } };

        if (guard_host(&headers, &place, NULL) != vectors[i].code)
            fail_msg("%s, %s", vectors[i].host ? vectors[i].host : "-", vectors[i].origin ? vectors[i].origin : "-");
    }
}

static void test_media(void **state)
{
    static const struct {
        enum body body;
        const char *type;
        int encoding; /* -1 = refused */
    } vectors[] = {
        { BODY_BUFFERS, "application/octet-stream", ENCODING_RAW },
        { BODY_BUFFERS, "application/json", ENCODING_JSON },
        { BODY_BUFFERS, "Application/JSON ; charset=UTF-8", ENCODING_JSON },
        { BODY_BUFFERS, "text/csv;charset=\"utf-8\";header=absent", ENCODING_CSV },
        { BODY_JSON, "application/json", ENCODING_JSON },
        { BODY_BLOCK, "application/octet-stream", ENCODING_RAW },
        { BODY_BUFFERS, NULL, -1 },
        { BODY_BUFFERS, "", -1 },
        { BODY_BUFFERS, "text/plain", -1 },
        { BODY_BUFFERS, "multipart/form-data; boundary=x", -1 },
        { BODY_BUFFERS, "application/x-www-form-urlencoded", -1 },
        { BODY_BUFFERS, "application/json; charset=utf-16", -1 },
        { BODY_BUFFERS, "application/jsonp", -1 },
        { BODY_JSON, "text/csv", -1 },
        { BODY_BLOCK, "application/json", -1 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
        enum wire_encoding encoding = ENCODING_RAW;
        int r = media_of_body(vectors[i].body, vectors[i].type, &encoding, NULL);

        assert_int_equal(r, vectors[i].encoding < 0 ? REFUSAL_MEDIA_TYPE : 0);
        if (r == 0)
            assert_int_equal(encoding, vectors[i].encoding);
    }
}

static void test_accept(void **state)
{
    static const struct {
        const char *accept;
        int csv; /* -1 = refused */
    } vectors[] = {
        { NULL, 0 },
        { "*/*", 0 },
        { "text/csv", 1 },
        { "text/html, text/csv;q=0.9, */*", 0 },
        { "text/html, text/csv;q=0.9, */*;q=0.8", 1 },
        { "application/json;q=0.9, text/csv", 1 },
        { "application/json ; q=0.901,text/csv\t;Q=0.9", 0 },
        { "text/csv;q=0, */*", 0 },
        { "text/csv;q=0", -1 },
        { "text/*;q=0.1, application/json;q=0.5", 0 },
        { "text/*;q=0.1, text/csv, application/json;q=0.5", 1 },
        { "*/*, application/json;q=0.000", 1 },
        { "text/csv;header=present;q=0.5, application/json;q=0.4", 1 },
        { "text/csv, */*", 1 },
        { "*/*, text/csv", 0 },
        { "text/csv;q=x", 1 },
        { "text/*", 1 },
        { "application/json, text/csv", 0 },
        { "image/png", -1 },
        { "text/html,application/xml", -1 },
        { "", -1 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
        bool csv;
        int r = media_prefers_csv(vectors[i].accept, &csv, NULL);

        assert_int_equal(r, vectors[i].csv < 0 ? REFUSAL_NOT_ACCEPTABLE : 0);
        if (r == 0)
            assert_int_equal(csv, vectors[i].csv);
    }
}

static void test_routes(void **state)
{
    static const struct {
        const char *method, *uri;
        int code;
        const char *path;
    } vectors[] = {
        { "GET", "/", 0, "/" },
        { "HEAD", "/livez?x", 0, "/livez" },
        { "POST", "/v1/machines/pump-1/detect?seq=1", 0, "/v1/machines/{id}/detect" },
        { "GET", "/v1/anomalies/12", 0, "/v1/anomalies/{n}" },
        { "DELETE", "/v1/machines/a", 0, "/v1/machines/{id}" },
        { "GET", "/v1", REFUSAL_NO_ROUTE, NULL },
        { "GET", "/v1/machines/", REFUSAL_MACHINE_ID, NULL },
        { "GET", "/v1/machines/a/", REFUSAL_NO_ROUTE, NULL },
        { "GET", "/v1/machines//detect", REFUSAL_METHOD, NULL },
        { "GET", "/v1//machines", REFUSAL_NO_ROUTE, NULL },
        { "GET", "/v1/anomalies/x", REFUSAL_NOT_FOUND, NULL },
        { "GET", "/v1/anomalies/-1", REFUSAL_NOT_FOUND, NULL },
        { "GET", "/v1/anomalies/99999999999999999999999", REFUSAL_NOT_FOUND, NULL },
        { "GET", "/v1/machines/-rf", REFUSAL_MACHINE_ID, NULL },
        { "GET", "/v1/machines/$SYS", REFUSAL_MACHINE_ID, NULL },
        { "GET", "/v1/machines/%41", REFUSAL_MACHINE_ID, NULL },
        { "get", "/v1/machines", REFUSAL_METHOD, NULL },
        { "TRACE", "/", REFUSAL_METHOD, NULL },
        { "PUT", "/v1/machines/a/learn", REFUSAL_METHOD, NULL },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
        char uri[64];
        struct request request = { .method = vectors[i].method, .uri = strcpy(uri, vectors[i].uri) };
        int r = route_find(&request);

        if (r != vectors[i].code)
            fail_msg("%s %s: %d", vectors[i].method, vectors[i].uri, r);
        if (r == 0)
            assert_string_equal(request.route->path, vectors[i].path);
    }
}

static void test_allow(void **state)
{
    char uri[] = "/v1/machines/a";
    struct request request = { .method = "POST", .uri = uri };

    (void)state;
    assert_int_equal(route_find(&request), REFUSAL_METHOD);
    assert_string_equal(request.allow, "GET, HEAD, PUT, PATCH, DELETE");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_uri),    cmocka_unit_test(test_uri_too_long),  cmocka_unit_test(test_framing),
        cmocka_unit_test(test_host),   cmocka_unit_test(test_framing_doubt), cmocka_unit_test(test_media),
        cmocka_unit_test(test_accept), cmocka_unit_test(test_routes),        cmocka_unit_test(test_allow),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
