/* The configuration file: what is refused, with which line and words; what wins; printing; the file that is
 * installed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/changes.h"
#include "config/checks.h"
#include "config/config.h"
#include "config/keys.h"

static char path[] = "/tmp/habit-test-config-XXXXXX";

static void write_bytes(const char *bytes, size_t size)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

static int read_text(struct config *config, const char *text, char message[CONFIG_MESSAGE_SIZE])
{
    message[0] = '\0';
    write_bytes(text, strlen(text));
    return config_read(config, path, message);
}

static void read_good(struct config *config, const char *text)
{
    char message[CONFIG_MESSAGE_SIZE];

    if (read_text(config, text, message) != 0)
        fail_msg("refused: %s\n%s", message, text);
}

/* Refused with this line (0 = the file as a whole) and these words. */
static void assert_refused(int r, const char *message, unsigned int line, const char *words)
{
    char start[64];

    snprintf(start, sizeof(start), line > 0 ? "%s:%u: " : "%s: ", path, line);
    if (r != -EINVAL || strncmp(message, start, strlen(start)) != 0 || !strstr(message, words))
        fail_msg("%d, '%s' instead of '%s...%s'", r, message, start, words);
}

/* ---------------------------------------------------------------------------------------------------------- refused */

#define TOO_LONG                                                                                           \
    "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789" \
    "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"

#define MACHINE "[machine \"p*\"]\n"
#define INPUT   "[input \"a\"]\n"

static const struct {
    const char *text;
    unsigned int line;
    const char *words;
} bad[] = {
    /* lines */
    { "port = 1\n", 1, "before the first [section]" },
    { "\n# x\nport = 1\n", 3, "before the first [section]" },
    { "[http]\nport\n", 2, "neither [section] nor key = value" },
    { "[http]\nport\nport = 99999\n", 2, "neither" },
    { "[http]\nport = 1 ; why\n", 2, "comments have lines of their own" },
    { "[machine \"fan\"]\nname =; why\n", 2, "comments have lines of their own" },
    { "[http]\n# " TOO_LONG "\n", 2, "line of 202 bytes" },
    { "[http]\nport = 1\n  2\n", 3, "neither" },
    { "[http]\naddress = \"127.0.0.1\"\n", 2, "without quotes" },
    { "[http]\n= 5\n", 2, "has no key ''" },
    { "[http]\nport = \x01\n", 2, "control characters" },
    { "[http]\n# caf\xe9\n", 2, "not UTF-8" },
    { "[http]\n# \xe2\x80\xae\n", 2, "control characters" },
    { "\xef\xbb\xbf[http]\nport = 1\n", 1, "byte order mark" },

    /* sections */
    { "[htp]\n", 1, "did you mean [http]?" },
    { "[tls]\n", 1, "no section [tls]" },
    { "[http]\n[http]\n", 2, "[http] is there already" },
    { "[http]\nport = 1\n[mqtt]\n[http]\naddress = ::1\n", 4, "[http] is there already" },
    { "[http\nport = 1\n", 1, "not a section" },
    { "[http] port = 1\n", 1, "not a section" },
    { "[http \"a\"]\n", 1, "has no name" },
    { "[machine]\n", 1, "needs a name" },
    { "[machine \"\"]\n", 1, "not a section" },
    { "[machine pump]\n", 1, "not a section" },
    { "[machine \"p/1\"]\n", 1, "not a pattern" },
    { "[machine \"p#\"]\n", 1, "not a pattern" },
    { "[machine \"-*\"]\n", 1, "no machine ID begins with '-'" },
    { MACHINE "\n" MACHINE, 3, "is there already, in line 1" },
    { "[input \"a b\"]\n", 1, "not a name" },
    { INPUT "topic = {machine}/a\n" INPUT "topic = {machine}/b\n", 3, "is there already, in line 1" },

    /* keys */
    { "[http]\nprot = 1\n", 2, "did you mean 'port'?" },
    { "[http]\nwibble = 1\n", 2, "[http] has no key 'wibble'" },
    { "[http]\nkeepalive = 30\n", 2, "[mqtt] has" },
    { "[http]\nwindow = 10\n", 2, "[machine] has" },
    { MACHINE "treshold = 90\n", 2, "did you mean 'threshold'?" },
    { "[http]\nport = 1\nport = 1\n", 3, "given twice" },
    { MACHINE "window = 5\nwindow = 5\n", 3, "given twice" },
    { MACHINE "create = yes\ncreate = yes\n", 3, "given twice" },
    { "[http]\nPort = 1\n", 2, "did you mean 'port'?" },

    /* whole numbers: exactly decimal */
    { "[http]\nport = 70000\n", 2, "[http] port: 70000 is not in 0..65535" },
    { "[http]\nport = 65536\n", 2, "not in" },
    { "[http]\nport =\n", 2, "not in" },
    { "[http]\nport = abc\n", 2, "not in" },
    { "[http]\nport = 10abc\n", 2, "not in" },
    { "[http]\nport = 0x10\n", 2, "not in" },
    { "[http]\nport = 010\n", 2, "not in" },
    { "[http]\nport = 1e3\n", 2, "not in" },
    { "[http]\nport = 5 5\n", 2, "not in" },
    { "[http]\nport = -1\n", 2, "not in" },
    { "[http]\nport = +1\n", 2, "not in" },
    { "[http]\nport = 2147483648\n", 2, "not in" },
    { "[http]\nport = 9223372036854775808\n", 2, "not in" },
    { "[http]\nport = 18446744073709551616\n", 2, "not in" },
    { "[http]\nport = \xd9\xa3\n", 2, "not in" },
    { "[mqtt]\nport = 0\n", 2, "0 is not in 1..65535" },
    { "[mqtt]\nkeepalive = 4\n", 2, "4 is not in 5..3600" },
    { "[gateway]\nmachines = 0\n", 2, "0 is not in 1..10000" },
    { "[gateway]\nmachines = 10001\n", 2, "10001 is not in 1..10000" },

    /* durations, booleans, numbers, choices */
    { "[store]\nflush = 5 s\n", 2, "not a duration" },
    { "[store]\nflush = 5S\n", 2, "not a duration" },
    { "[store]\nflush = 1.5m\n", 2, "not a duration" },
    { "[store]\nflush = 99ms\n", 2, "99ms is not in 100ms..1h" },
    { "[store]\nflush = 61m\n", 2, "61m is not in 100ms..1h" },
    { "[store]\nflush = 18446744073709551d\n", 2, "not a duration" },
    { "[mqtt]\nsession_expiry = 0\n", 2, "0 is not in 1m..365d" },
    { "[mqtt]\ncommands = 2\n", 2, "2 is neither yes nor no" },
    { "[mqtt]\ndiscovery = always\n", 2, "always is not known" },
    { "[mqtt]\ndiscovery_prefix = home/+\n", 2, "'home/+' is not the beginning of a topic" },
    { "[mqtt]\ndiscovery_prefix =\n", 2, "'' is not the beginning of a topic" },
    { MACHINE "create = YES\n", 2, "YES is neither yes nor no" },
    { MACHINE "create = 1\n", 2, "neither yes nor no" },
    { INPUT "scale = nan\n", 2, "not a number" },
    { INPUT "scale = 0\n", 2, "not a number in 1e-12..1e+12" },
    { INPUT "scale = 1,5\n", 2, "not a number" },
    { INPUT "offset = 1e400\n", 2, "not a number" },
    { INPUT "format = f64\n", 2, "f64 is not known: f32, i16, i16be" },
    { INPUT "action = lern\n", 2, "lern is not known" },
    { MACHINE "axes = 17\n", 2, "axes = 17: " },
    { MACHINE "start = now\n", 2, "commission, auto" },

    /* texts */
    { "[gateway]\nid = a_b\n", 2, "'a_b' is not 1 to 32 letters" },
    { "[gateway]\nid = a/b\n", 2, "not 1 to 32" },
    { "[gateway]\nid = +\n", 2, "not 1 to 32" },
    { "[gateway]\nid = 123456789012345678901234567890123\n", 2, "not 1 to 32" },
    { "[gateway]\nlog_level = verbose\n", 2, "not error, warning" },
    { "[gateway]\nlog_level =\n", 2, "not error, warning" },
    { "[gateway]\ntimezone = Mars/Olympus\n", 2, "not a zone" },
    { "[gateway]\ntimezone = UTC+25\n", 2, "not a zone" },
    { "[gateway]\ntimezone = /etc/localtime\n", 2, "not a zone" },
    { "[gateway]\ntimezone = ../zoneinfo/UTC\n", 2, "not a zone" },
    { "[gateway]\ntimezone = /UTC\n", 2, "not a zone" },
    { "[gateway]\ntimezone = leapseconds\n", 2, "not a zone" },
    { "[gateway]\ntimezone = SECURITY\n", 2, "not a zone" },
    { "[gateway]\ntimezone = Europe\n", 2, "not a zone" },
    { "[gateway]\ntimezone = zone.tab\n", 2, "not a zone" },
    { "[http]\naddress = localhost.\n", 2, "not an address in numbers" },
    { "[http]\naddress = eth0\n", 2, "not an address in numbers" },
    { "[http]\naddress = 127.1\n", 2, "not an address in numbers" },
    { "[http]\naddress =\n", 2, "not an address in numbers" },
    { "[http]\nnames = a/b\n", 2, "not a list of host names" },
    { "[http]\ntokens = tokens\n", 2, "not an absolute path" },
    { "[mqtt]\nca = systems\n", 2, "neither an absolute path nor system" },
    { "[mqtt]\nhost = a b\n", 2, "neither a host name" },
    { "[mqtt]\nhost = mqtt://broker\n", 2, "neither a host name" },
    { "[mqtt]\nusername = 0123456789012345678901234567890123456789012345678901234567890123\n", 2, "at most 63 bytes" },
    { "[mqtt]\nusername = x\npassword_file = folder/secret\n", 3,
      "neither an absolute path nor the name of a credential" },
    { "[store]\npath = ~/habit.db\n", 2, "not an absolute path" },

    /* topics */
    { INPUT "topic = {machine}/{machine}\n", 2, "has 2 levels {machine}" },
    { INPUT "topic = factory/m-{machine}\n", 2, "stand alone" },
    { INPUT "topic = {machine}/#\n", 2, "'#' is not allowed" },
    { INPUT "topic = a+/{machine}\n", 2, "stand alone" },
    { INPUT "topic = {machine}/{axis}\n", 2, "stand alone" },
    { INPUT "topic = $SYS/{machine}\n", 2, "begins with '$'" },

    /* contradictions */
    { "[http]\naddress = 0.0.0.0\n", 2, "needs certificate and key, and tokens as well" },
    { "[http]\naddress = ::\n", 2, "needs certificate and key, and tokens as well" },
    { "[http]\naddress = 192.168.1.5\n", 2, "not a loopback address" },
    { "[http]\naddress = ::ffff:127.0.0.1\n", 2, "not a loopback address" },
    { "[http]\naddress = 0.0.0.0\ntokens = /t\n", 2, "needs certificate and key as well" },
    { "[http]\naddress = 0.0.0.0\ncertificate = /c\nkey = /k\n", 2, "needs tokens as well" },
    { "[http]\ncertificate = /c\n", 2, "certificate and key go together" },
    { "[http]\nkey = /k\n", 2, "certificate and key go together" },
    { "[http]\nclient_ca = /ca\n", 2, "needs a certificate and a key too" },
    { "[mqtt]\nca = /ca\nkey = /k\n", 3, "certificate and key go together" },
    { "[mqtt]\ncertificate = /c\nkey = /k\n", 2, "needs ca too" },
    { "[mqtt]\npassword_file = /x\n", 2, "needs a username" },
    { "\n" MACHINE "create = yes\n", 2, "buffer_size and axes are both needed, and here they are 0 x 0" },
    { MACHINE "create = yes\nbuffer_size = 256\n", 1, "here they are 256 x 0 (0 = not known): set what is missing" },
    { MACHINE "threshold = 95\n", 1, "clear 93 is below threshold 95" },
    { "[machine \"*\"]\nthreshold = 95\nclear = 95\n[machine \"p*\"]\nclear = 94\n", 4, "below threshold" },
    { "[http]\n" INPUT "format = i16\n", 2, "[input \"a\"] topic: is needed" },
    { INPUT "topic = {machine}/x\n[input \"b\"]\ntopic = a/{machine}\n", 3, "overlaps with [input \"a\"] in line 1" },
    { INPUT "topic = factory/accel\n", 1, "has 0 levels {machine}" },
    { INPUT "topic = a/b\nmap = {machine}-x: 0\n", 1, "has 0 levels {machine}" },
    { INPUT "topic = a/{machine}\nmap = x: 0\n", 1, "does not use {machine}" },
    { INPUT "topic = a/{machine}\nchannels = 3\n", 1, "goes with map" },
    { INPUT "topic = a/b\nchannels = 3\nmap = x: 0-3\n", 1, "map names channel 3" },
    { INPUT "topic = a/b\nmap = x: 0, x: 1\n", 3, "x comes twice" },
    { INPUT "topic = a/b\nmap = x\n", 3, "machines with their channels are wanted" },
    { INPUT "topic = a/b\nmap = x: 3-1\n", 3, "machines with their channels are wanted" },
    { INPUT "topic = a/b\nmap = x: 64\n", 3, "machines with their channels are wanted" },
    { INPUT "topic = a/b\nmap = x: 0-16\n", 3, "at most 16 of a machine" },
    { INPUT "topic = a/b\nmap = x: 1,\n", 3, "machines with their channels are wanted" },
    { INPUT "topic = a/b\nmap = -x: 1\n", 3, "machines with their channels are wanted" },
    { INPUT "topic = a/b\nmap = x:1y\n", 3, "machines with their channels are wanted" },
    { INPUT "topic = {machine}/x\nhop = 5\n", 1, "hop: goes with stream" },
    { INPUT "topic = {machine}/x\ngap = 5s\n", 1, "gap: goes with stream" },
    { INPUT "topic = +/{machine}/x\n[input \"b\"]\ntopic = a/{machine}/x\n", 3, "overlaps" },
    { "[gateway]\nid = gw\n" INPUT "topic = habit/v1/gw/{machine}/state\n", 3, "habitd's own topics" },
    { "[gateway]\nid = gw\n" INPUT "topic = +/+/+/{machine}/buffer\n", 3, "habitd's own topics" },
    { "[gateway]\nid = gw\n" INPUT "topic = habit/v1/{machine}/x\n", 3, "habitd's own topics" },
};

static void refuses_bad_files(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char message[CONFIG_MESSAGE_SIZE];
        struct config config;
        int r = read_text(&config, bad[i].text, message);

        print_message("%s", bad[i].text);
        assert_refused(r, message, bad[i].line, bad[i].words);
    }
}

static void refuses_a_nul_byte(void **state)
{
    static const char bytes[] = "[http]\nport = 1\0\n";
    char message[CONFIG_MESSAGE_SIZE];
    struct config config;

    (void)state;
    write_bytes(bytes, sizeof(bytes) - 1);
    assert_refused(config_read(&config, path, message), message, 2, "NUL byte");
}

static void refuses_too_large_a_file(void **state)
{
    static char bytes[1048577];
    char message[CONFIG_MESSAGE_SIZE];
    struct config config;

    (void)state;
    memset(bytes, '\n', sizeof(bytes));
    write_bytes(bytes, sizeof(bytes));
    assert_refused(config_read(&config, path, message), message, 0, "larger than 1 MiB");
    write_bytes(bytes, sizeof(bytes) - 1);
    assert_int_equal(config_read(&config, path, message), 0);
    config_free(&config);
}

static void refuses_what_is_no_file(void **state)
{
    static const struct {
        const char *path, *message;
    } rows[] = {
        { "/nonexistent/habitd.conf", "/nonexistent/habitd.conf: No such file or directory" },
        { "/tmp", "/tmp: is a directory, not a file" },
        { "/dev/zero", "/dev/zero: is not a regular file" },
    };
    char message[CONFIG_MESSAGE_SIZE];
    struct config config;

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(config_read(&config, rows[i].path, message), -EINVAL);
        assert_string_equal(message, rows[i].message);
    }
    unlink(path);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_refused(config_read(&config, path, message), message, 0, "is not a regular file");
    unlink(path);
}

static void refuses_too_many_sections(void **state)
{
    static char text[64 * (LIMIT_PATTERNS + 1)];
    char message[CONFIG_MESSAGE_SIZE];
    struct config config;

    (void)state;
    text[0] = '\0';
    for (int i = 0; i <= LIMIT_PATTERNS; i++)
        snprintf(text + strlen(text), 64, "[machine \"m%d\"]\n", i);
    assert_refused(read_text(&config, text, message), message, LIMIT_PATTERNS + 1, "more than 256 [machine] sections");
    text[0] = '\0';
    for (int i = 0; i <= LIMIT_INPUTS; i++)
        snprintf(text + strlen(text), 64, "[input \"i%d\"]\ntopic = t%d/{machine}\n", i, i);
    assert_refused(read_text(&config, text, message), message, 2 * LIMIT_INPUTS + 1, "more than 64 [input] sections");
}

static void suggests_only_what_is_close(void **state)
{
    char message[CONFIG_MESSAGE_SIZE];
    struct config config;

    (void)state;
    assert_refused(read_text(&config, "[http]\nadxxess = 1\n", message), message, 2, "did you mean 'address'?");
    assert_refused(read_text(&config, "[http]\nadxxxss = 1\n", message), message, 2, "has no key");
    assert_null(strstr(message, "did you mean"));
}

/* libinih would cut a value at 197 bytes of its line without a word. */
static void takes_the_longest_line_whole(void **state)
{
    static const char start[] = "[mqtt]\nusername = u\npassword_file = /";
    const size_t used = strlen("password_file = /");
    char text[300], message[CONFIG_MESSAGE_SIZE];
    struct config config;

    (void)state;
    snprintf(text, sizeof(text), "%s%.*s\n", start, (int)(197 - used), TOO_LONG);
    read_good(&config, text);
    assert_int_equal(strlen(config.mqtt_password_file), 1 + 197 - used);
    config_free(&config);
    snprintf(text, sizeof(text), "%s%.*s\n", start, (int)(198 - used), TOO_LONG);
    assert_refused(read_text(&config, text, message), message, 3, "line of 198 bytes, at most 197 are possible");
    snprintf(text, sizeof(text), "[mqtt]\nusername = u\npassword_file=/%.*s\n", (int)(198 - used), TOO_LONG);
    assert_refused(read_text(&config, text, message), message, 3, "password_file: value of 182 bytes, at most 181 are");
}

/* ------------------------------------------------------------------------------------------------------------- good */

static void reads_a_good_file(void **state)
{
    struct config config;

    (void)state;
    read_good(&config, "; both kinds of comments\r\n"
                       "[gateway]\r\n"
                       "  id=hall-2\r\n"
                       "\tmachines : 20\t\r\n"
                       "timezone = Europe/Berlin\r\n"
                       "[http]\r\n"
                       "address = ::1\r\n"
                       "port = 0\r\n"
                       "[mqtt]\r\n"
                       "host =\r\n"
                       "session_expiry = 36h\r\n"
                       "[machine \"p?mp-*\"]\r\n"
                       "name = Pumpe = \xc3\xbc #1\r\n"
                       "learn = 24h\r\n"
                       "[input \"hall\"]\r\n"
                       "topic = factory/+/{machine}/accel\r\n"
                       "format = i16be\r\n"
                       "scale = 0.00006103515625");
    assert_string_equal(config.gateway, "hall-2");
    assert_int_equal(config.machines, 20);
    assert_string_equal(config.timezone, "Europe/Berlin");
    assert_string_equal(config.http_address, "::1");
    assert_int_equal(config.http_port, 0);
    assert_string_equal(config.mqtt_host, "");
    assert_int_equal(config.mqtt_session_expiry, 36 * 3600 * 1000);
    assert_int_equal(config.pattern_count, 1);
    assert_string_equal(config.patterns[0].settings.name, "Pumpe = \xc3\xbc #1");
    assert_int_equal(config.patterns[0].settings.learn.mode, LEARN_DURATION);
    assert_int_equal(config.patterns[0].place.line, 12);
    assert_int_equal(config.input_count, 1);
    assert_int_equal(config.inputs[0].format, FORMAT_I16BE);
    assert_true(config.inputs[0].scale == 0x1p-14f);
    config_free(&config);
}

static void knows_its_defaults(void **state)
{
    static const char *const empty[] = { "", "\n\n", "# nothing\n", "[mqtt]\n", "[gateway]\nid =\n[store]\npath =\n" };
    struct config defaults, config;

    (void)state;
    unsetenv("STATE_DIRECTORY");
    assert_int_equal(config_default(&defaults), 0);
    assert_true(gateway_id_valid(defaults.gateway));
    assert_int_equal(defaults.machines, 1000);
    assert_string_equal(defaults.log_level, "info");
    assert_string_equal(defaults.http_address, "127.0.0.1");
    assert_int_equal(defaults.http_port, 8088);
    assert_string_equal(defaults.mqtt_host, "127.0.0.1");
    assert_int_equal(defaults.mqtt_port, 1883);
    assert_int_equal(defaults.mqtt_keepalive, 30);
    assert_int_equal(defaults.mqtt_session_expiry, 7 * 86400000);
    assert_string_equal(defaults.store_path, "/var/lib/habit/habit.db");
    assert_int_equal(defaults.store_flush, 5000);
    for (size_t i = 0; i < sizeof(empty) / sizeof(empty[0]); i++) {
        read_good(&config, empty[i]);
        assert_memory_equal(&config, &defaults, offsetof(struct config, places));
        config_free(&config);
    }
    setenv("STATE_DIRECTORY", "/run/elsewhere", 1);
    read_good(&config, "");
    assert_string_equal(config.store_path, "/run/elsewhere/habit.db");
    config_free(&config);
    unsetenv("STATE_DIRECTORY");
}

static void lets_the_most_specific_section_win(void **state)
{
    const struct settings_field *window = settings_find("window"), *axes = settings_find("axes");
    struct settings settings;
    struct config config;
    bool create;

    (void)state;
    read_good(&config, "[machine \"pump-*\"]\nwindow = 20\ncreate = yes\n"
                       "[machine \"*\"]\nwindow = 5\nthreshold = 80\nbuffer_size = 64\naxes = 1\ncreate = no\n"
                       "[machine \"pump-1?\"]\naxes = 3\n"
                       "[machine \"pump-?1\"]\naxes = 2\n");
    config_settings(&config, "pump-11", &settings, &create);
    assert_int_equal(settings.window, 20);
    assert_int_equal(settings.threshold, 80);
    assert_int_equal(settings.clear, 93);
    assert_int_equal(settings.axes, 2); /* a tie: the later one */
    assert_int_equal(settings.origin[SETTING_window], ORIGIN_FILE);
    assert_int_equal(settings.origin[SETTING_clear], ORIGIN_DEFAULT);
    assert_true(create); /* the sections for pump-1? do not say */
    config_settings(&config, "fan", &settings, &create);
    assert_int_equal(settings.window, 5);
    assert_false(create);
    assert_ptr_equal(config_origin(&config, "pump-12", axes), &config.patterns[2]);
    assert_ptr_equal(config_origin(&config, "pump-12", window), &config.patterns[0]);
    assert_null(config_origin(&config, "pump-12", settings_find("clear")));
    config_free(&config);
}

static void sees_overlaps_of_topics(void **state)
{
    static const struct {
        const char *a, *b;
        bool overlap;
    } rows[] = {
        { "{machine}/a", "+/a", true },         { "{machine}/a", "{machine}/b", false },
        { "a/{machine}", "{machine}/b", true }, { "a/{machine}", "a/b/{machine}", false },
        { "/{machine}", "{machine}", false },   { "a/", "a", false },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(topics_overlap(rows[i].a, rows[i].b), rows[i].overlap);
        assert_int_equal(topics_overlap(rows[i].b, rows[i].a), rows[i].overlap);
    }
    assert_true(topic_meets_root("habit/v1/gw/{machine}", "gw"));
    assert_false(topic_meets_root("habit/v1/{machine}", "gw"));
    assert_false(topic_meets_root("habit/v1/gw2/{machine}", "gw"));
}

/* --------------------------------------------------------------------------------------------------------- printing */

static char *print(const struct config *config)
{
    char *text = NULL;
    size_t size;
    FILE *file = open_memstream(&text, &size);

    assert_non_null(file);
    config_print(config, file, false);
    assert_int_equal(fclose(file), 0);
    return text;
}

static void assert_same(const struct config *a, const struct config *b)
{
    char *text_a = print(a), *text_b = print(b);

    assert_string_equal(text_a, text_b);
    assert_memory_equal(a, b, offsetof(struct config, patterns));
    for (size_t i = 0; i < a->pattern_count; i++)
        for (size_t j = 0; j < SETTINGS_COUNT; j++)
            assert_true(settings_equal(&a->patterns[i].settings, &b->patterns[i].settings, &settings_fields[j]));
    for (size_t i = 0; i < a->input_count; i++)
        assert_true(a->inputs[i].scale == b->inputs[i].scale && a->inputs[i].offset == b->inputs[i].offset);
    free(text_a);
    free(text_b);
}

/* A value other than the default for every key of every table: one that is forgotten somewhere shows. */
static const char *const values[][3] = {
    { "gateway", "id", "gw-7" },
    { "gateway", "machines", "77" },
    { "gateway", "timezone", "America/Argentina/Buenos_Aires" },
    { "gateway", "log_level", "warning" },
    { "http", "address", "127.9.8.7" },
    { "http", "certificate", "/etc/habit/tls/habitd.pem" },
    { "http", "key", "/etc/habit/tls/habitd.key" },
    { "http", "tokens", "/etc/habit/tokens" },
    { "http", "client_ca", "/etc/habit/tls/clients.pem" },
    { "http", "names", "gw.local habit.example.org" },
    { "http", "port", "65535" },
    { "http", "deadline", "45s" },
    { "http", "each_address", "12" },
    { "mqtt", "host", "fe80::1%eth0" },
    { "mqtt", "port", "1" },
    { "mqtt", "username", "J\xc3\xbcrgen" },
    { "mqtt", "password_file", "/run/credentials/habitd.service/mqtt-password" },
    { "mqtt", "ca", "system" },
    { "mqtt", "certificate", "/etc/habit/tls/broker.pem" },
    { "mqtt", "key", "/etc/habit/tls/broker.key" },
    { "mqtt", "keepalive", "3600" },
    { "mqtt", "session_expiry", "365d" },
    { "mqtt", "commands", "yes" },
    { "mqtt", "discovery", "retain" },
    { "mqtt", "discovery_prefix", "ha/2" },
    { "store", "path", "/tmp/x.db" },
    { "store", "flush", "1500ms" },
    { "store", "daily_writes", "500" },
    { "store", "backup_age", "2d" },
    { "report", "time", "07:05" },
    { "machine", "create", "yes" },
    { "machine", "buffer_size", "4096" },
    { "machine", "axes", "16" },
    { "machine", "sampling_hz", "26667" },
    { "machine", "unit", "mm/s" },
    { "machine", "scale", "0.1" },
    { "machine", "profile", "large" },
    { "machine", "offset", "-3" },
    { "machine", "format", "json" },
    { "machine", "layout", "planar" },
    { "machine", "sensitivity", "1.1" },
    { "machine", "start", "auto" },
    { "machine", "learn", "500" },
    { "machine", "learn_min", "61" },
    { "machine", "learn_max", "36h" },
    { "machine", "learn_every", "10s" },
    { "machine", "detect_every", "500ms" },
    { "machine", "window", "64" },
    { "machine", "threshold", "91" },
    { "machine", "clear", "100" },
    { "machine", "run_when", "level auto" },
    { "machine", "settle", "30s" },
    { "machine", "stopped_after", "2h" },
    { "machine", "false_alarms", "2 per 30d" },
    { "machine", "rule", "temperature > 60 for 10m : learn 50" },
    { "machine", "context_ttl", "5m" },
    { "machine", "drift_budget", "0.5" },
    { "machine", "silent_after", "5m" },
    { "machine", "paused", "yes" },
    { "machine", "store_buffers", "features" },
    { "machine", "name", "Pump = 1" },
    { "machine", "asset", "Line: 3" },
    { "machine", "location", "# 9" },
    { "machine", "labels", "line=3, hall=B" },
    { "input", "topic", "+/{machine}/x y/\xc3\xbc" },
    { "input", "action", "detect" },
    { "input", "format", "json" },
    { "input", "layout", "planar" },
    { "input", "scale", "1.1" },
    { "input", "offset", "-1e+15" },
    { "input", "path", "accel.samples" },
    { "input", "stream", "yes" },
    { "input", "hop", "65536" },
    { "input", "gap", "2s" },
    { "input", "channels", "64" },
    { "input", "map", "{machine}-a: 0-2 5, b: 63" },
};

enum { VALUES = sizeof(values) / sizeof(values[0]) };

static const char *section_line(const char *section, char line[32])
{
    bool named = strcmp(section, "machine") == 0 || strcmp(section, "input") == 0;

    snprintf(line, 32, named ? "[%s \"p\"]" : "[%s]", section);
    return line;
}

static void prints_what_it_reads(void **state)
{
    char text[8192] = "", line[600], heading[32];
    const char *section = "";
    struct config config, again;
    char *printed;

    (void)state;
    for (size_t i = 0; i < VALUES; i++) {
        if (strcmp(values[i][0], section) != 0)
            sprintf(text + strlen(text), "%s\n", section_line(values[i][0], heading));
        section = values[i][0];
        sprintf(text + strlen(text), "%s = %s\n", values[i][1], values[i][2]);
    }
    read_good(&config, text);
    printed = print(&config);
    for (size_t i = 0; i < VALUES; i++) {
        snprintf(line, sizeof(line), "\n%s = %s\n", values[i][1], values[i][2]);
        if (strcmp(values[i][0], "machine") == 0 && settings_find(values[i][1]) &&
            settings_find(values[i][1])->type == TYPE_NUMBER)
            snprintf(line, sizeof(line), "\n%s = ", values[i][1]); /* %.9g there */
        if (!strstr(printed, line))
            fail_msg("not printed: %s", line);
    }
    read_good(&again, printed);
    assert_same(&config, &again);
    free(printed);
    config_free(&config);
    config_free(&again);
}

static bool has_value(const char *section, const char *key)
{
    for (size_t i = 0; i < VALUES; i++)
        if (strcmp(values[i][0], section) == 0 && strcmp(values[i][1], key) == 0)
            return true;
    return false;
}

static void tries_every_key(void **state)
{
    (void)state;
    for (size_t i = 0; i < CONFIG_KEYS; i++)
        assert_true(has_value(config_keys[i].section, config_keys[i].key));
    for (size_t i = 0; i < SETTINGS_COUNT; i++)
        assert_true(has_value("machine", settings_fields[i].key));
    assert_int_equal(VALUES, CONFIG_KEYS + SETTINGS_COUNT);
}

/* --------------------------------------------------------------------------------------------------------- changes */

static void names_what_has_changed(void **state)
{
    static const struct {
        const char *before, *after, *reloaded, *restarted;
    } rows[] = {
        { "", "", "", "" },
        { "", "[gateway]\nlog_level = debug\n", "[gateway] log_level", "" },
        { "[http]\ntokens = /a\n", "[http]\ntokens = /b\nport = 1\n", "[http] tokens", "[http] port" },
        { "", "[http]\ntokens = /b\n", "", "[http] tokens" }, /* from none to some */
        { "", MACHINE "window = 3\n", "", "[machine \"p*\"]" },
        { MACHINE "window = 3\n", MACHINE "window = 4\nclear = 95\n", "",
          "[machine \"p*\"] window, [machine \"p*\"] clear" },
        { MACHINE "window = 3\n", "", "", "[machine \"p*\"]" },
        { MACHINE, MACHINE "create = no\n", "", "[machine \"p*\"] create" },
        { INPUT "topic = {machine}/a\n", INPUT "topic = {machine}/b\n", "", "[input \"a\"] topic" },
        { INPUT "topic = {machine}/a\n", "", "", "[input \"a\"]" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct config before, after;
        char text[128];

        read_good(&before, rows[i].before);
        read_good(&after, rows[i].after);
        config_changes(&before, &after, BY_RELOAD, text, sizeof(text));
        assert_string_equal(text, rows[i].reloaded);
        config_changes(&before, &after, BY_RESTART, text, sizeof(text));
        assert_string_equal(text, rows[i].restarted);
        config_changes(&before, &after, BY_RESTART, text, 12);
        assert_true(strlen(text) < 12);
        config_free(&before);
        config_free(&after);
    }
}

/* ----------------------------------------------------------------------------------------------- the installed file */

static const char installed[] = HABIT_SOURCE_ROOT "/config/habitd.conf";

/* A line that is a key or section commented out: no space behind the '#'. */
static bool is_commented_out(const char *line)
{
    return line[0] == '#' && (line[1] == '[' || (line[1] >= 'a' && line[1] <= 'z'));
}

static char *uncommented(void)
{
    FILE *file = fopen(installed, "r"), *out;
    char line[512], *text = NULL;
    size_t size;

    assert_non_null(file);
    out = open_memstream(&text, &size);
    while (fgets(line, sizeof(line), file))
        fputs(is_commented_out(line) ? line + 1 : line, out);
    fclose(file);
    fclose(out);
    return text;
}

static void installs_the_defaults(void **state)
{
    char message[CONFIG_MESSAGE_SIZE] = "";
    struct config defaults, config;

    (void)state;
    assert_int_equal(config_default(&defaults), 0);
    if (config_read(&config, installed, message) != 0)
        fail_msg("%s", message);
    assert_memory_equal(&config, &defaults, offsetof(struct config, places));
    config_free(&config);
}

/* Every key is there, and its line says the default. */
static void installs_every_key(void **state)
{
    struct settings fallback;
    struct config defaults, config;
    struct config_input input = { 0 };
    char *text = uncommented(), line[CONFIG_TEXT_SIZE + 64], a[CONFIG_TEXT_SIZE], b[CONFIG_TEXT_SIZE];

    (void)state;
    assert_int_equal(config_default(&defaults), 0);
    read_good(&config, text);
    assert_memory_equal(&config, &defaults, offsetof(struct config, patterns));
    assert_int_equal(config.pattern_count, 1);
    assert_int_equal(config.input_count, 1);

    settings_default(&fallback);
    for (size_t i = 0; i < SETTINGS_COUNT; i++) {
        assert_int_equal(config.patterns[0].settings.origin[i], ORIGIN_FILE);
        if (i != SETTING_buffer_size && i != SETTING_axes)
            assert_true(settings_equal(&config.patterns[0].settings, &fallback, &settings_fields[i]));
    }
    config_keys_default(&input, "input");
    for (size_t i = 0; i < CONFIG_KEYS; i++) {
        snprintf(line, sizeof(line), "\n%s =", config_keys[i].key);
        if (!strstr(text, line))
            fail_msg("%s lacks%s", installed, line);
        if (strcmp(config_keys[i].section, "input") == 0 && strcmp(config_keys[i].key, "topic") != 0)
            assert_string_equal(config_key_text(&config.inputs[0], &config_keys[i], a),
                                config_key_text(&input, &config_keys[i], b));
    }
    assert_true(config.patterns[0].create_place.line > 0 && !config.patterns[0].create);
    free(text);
    config_free(&config);
}

static int make_path(void **state)
{
    int fd = mkstemp(path);

    (void)state;
    return fd < 0 || close(fd) != 0;
}

static int remove_path(void **state)
{
    (void)state;
    return unlink(path);
}

static void finds_secrets(void **state)
{
    char found[SECRET_PATH_SIZE];

    (void)state;
    unsetenv("CREDENTIALS_DIRECTORY");
    config_secret_path("/run/secret", found);
    assert_string_equal(found, "/run/secret");
    config_secret_path("broker", found);
    assert_string_equal(found, "/etc/habit/credentials/broker");
    setenv("CREDENTIALS_DIRECTORY", "/run/credentials/habitd.service", 1); /* systemd's */
    config_secret_path("broker", found);
    assert_string_equal(found, "/run/credentials/habitd.service/habit_broker");
    config_secret_path("/run/secret", found);
    assert_string_equal(found, "/run/secret");
    unsetenv("CREDENTIALS_DIRECTORY");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_secrets),
        cmocka_unit_test(refuses_bad_files),
        cmocka_unit_test(names_what_has_changed),
        cmocka_unit_test(refuses_a_nul_byte),
        cmocka_unit_test(refuses_too_large_a_file),
        cmocka_unit_test(refuses_what_is_no_file),
        cmocka_unit_test(refuses_too_many_sections),
        cmocka_unit_test(suggests_only_what_is_close),
        cmocka_unit_test(takes_the_longest_line_whole),
        cmocka_unit_test(reads_a_good_file),
        cmocka_unit_test(knows_its_defaults),
        cmocka_unit_test(lets_the_most_specific_section_win),
        cmocka_unit_test(sees_overlaps_of_topics),
        cmocka_unit_test(prints_what_it_reads),
        cmocka_unit_test(tries_every_key),
        cmocka_unit_test(installs_the_defaults),
        cmocka_unit_test(installs_every_key),
    };

    return cmocka_run_group_tests(tests, make_path, remove_path);
}
