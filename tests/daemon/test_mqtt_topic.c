/* Topics: what comes in, for whom, and what is left out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "mqtt/topic.h"

static struct config_input inputs[] = {
    { .name = "hall", .topic = "factory/+/{machine}/accel", .action = INPUT_BUFFER },
    { .name = "first", .topic = "{machine}/vib", .action = INPUT_LEARN },
    { .name = "last", .topic = "/lab//{machine}", .action = INPUT_DETECT },
};
static struct config config = { .gateway = "gw", .inputs = inputs, .input_count = 3 };

#define LONG_ID "x2345678901234567890123456789012345678901234567890123456789012345"

static const struct {
    const char *text;
    int result;
    enum topic_kind kind;
    const char *machine;
    int input; /* index, -1 = our own topic */
} rows[] = {
    { "habit/v1/gw/pump-1/buffer", 0, TOPIC_BUFFER, "pump-1", -1 },
    { "habit/v1/gw/pump-1/learn", 0, TOPIC_LEARN, "pump-1", -1 },
    { "habit/v1/gw/pump-1/detect", 0, TOPIC_DETECT, "pump-1", -1 },
    { "habit/v1/gw/P_9-x/context", 0, TOPIC_CONTEXT, "P_9-x", -1 },
    { "factory/hall2/m7/accel", 0, TOPIC_BUFFER, "m7", 0 },
    { "factory//m7/accel", 0, TOPIC_BUFFER, "m7", 0 },
    { "m8/vib", 0, TOPIC_LEARN, "m8", 1 },
    { "/lab//m9", 0, TOPIC_DETECT, "m9", 2 },

    /* our own publications, and what is not ours */
    { "habit/v1/gw/status", REFUSAL_NO_ROUTE, 0, "", 0 },
    { "habit/v1/gw/info", REFUSAL_NO_ROUTE, 0, "", 0 },
    { "habit/v1/gw/pump-1/state", REFUSAL_NO_ROUTE, 0, "", 0 },
    { "habit/v1/gw/pump-1/availability", REFUSAL_NO_ROUTE, 0, "", 0 },
    { "habit/v1/gw/pump-1/anomaly", REFUSAL_NO_ROUTE, 0, "", 0 },
    { "habit/v1/gw/pump-1/report/daily", REFUSAL_NO_ROUTE, 0, "", 0 },
    { "habit/v1/gw/pump-1/buffer/x", REFUSAL_NO_ROUTE, 0, "", 0 },
    { "habit/v1/gw/pump-1/buffer/", REFUSAL_NO_ROUTE, 0, "", 0 },
    { "habit/v1/gw/pump-1/buffers", REFUSAL_NO_ROUTE, 0, "", 0 },
    { "habit/v1/gw/pump-1", REFUSAL_NO_ROUTE, 0, "", 0 },
    { "habit/v1/gw/", REFUSAL_NO_ROUTE, 0, "", 0 },
    { "habit/v1/gw", REFUSAL_NO_ROUTE, 0, "", 0 },
    { "habit/v1/gw2/pump-1/buffer", REFUSAL_NO_ROUTE, 0, "", 0 },
    { "habit/v2/gw/pump-1/buffer", REFUSAL_NO_ROUTE, 0, "", 0 },
    { "factory/hall2/m7/accel/x", REFUSAL_NO_ROUTE, 0, "", 0 },
    { "factory/m7/accel", REFUSAL_NO_ROUTE, 0, "", 0 },
    { "factory/hall2/m7/acce", REFUSAL_NO_ROUTE, 0, "", 0 },
    { "Factory/hall2/m7/accel", REFUSAL_NO_ROUTE, 0, "", 0 },
    { "lab//m9", REFUSAL_NO_ROUTE, 0, "", 0 },
    { "", REFUSAL_NO_ROUTE, 0, "", 0 },

    /* IDs that are none */
    { "habit/v1/gw//buffer", REFUSAL_MACHINE_ID, 0, "", 0 },
    { "habit/v1/gw/a b/buffer", REFUSAL_MACHINE_ID, 0, "", 0 },
    { "habit/v1/gw/-rf/learn", REFUSAL_MACHINE_ID, 0, "", 0 },
    { "habit/v1/gw/../learn", REFUSAL_MACHINE_ID, 0, "", 0 },
    { "habit/v1/gw/p\xc3\xbcmp/learn", REFUSAL_MACHINE_ID, 0, "", 0 },
    { "habit/v1/gw/" LONG_ID "/learn", REFUSAL_MACHINE_ID, 0, "", 0 },
    { "factory/hall2//accel", REFUSAL_MACHINE_ID, 0, "", 0 },
    { "factory/hall2/$SYS/accel", REFUSAL_MACHINE_ID, 0, "", 0 },
    { "/vib", REFUSAL_MACHINE_ID, 0, "", 0 },
};

static void reads_every_row(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct refusal refusal = { 0 };
        struct topic topic;

        print_message("%s\n", rows[i].text);
        assert_int_equal(topic_read(&config, rows[i].text, &topic, &refusal), rows[i].result);
        assert_int_equal(refusal.code, rows[i].result);
        if (rows[i].result != 0)
            continue;
        assert_int_equal(topic.kind, rows[i].kind);
        assert_string_equal(topic.machine, rows[i].machine);
        assert_ptr_equal(topic.input, rows[i].input < 0 ? NULL : &inputs[rows[i].input]);
    }
}

/* A topic as long as MQTT allows, of nothing but slashes: found to be none of ours without recursion. */
static void survives_the_longest_topic(void **state)
{
    static char text[65536];
    struct refusal refusal;
    struct topic topic;

    (void)state;
    memset(text, '/', sizeof(text) - 1);
    assert_int_equal(topic_read(&config, text, &topic, &refusal), REFUSAL_NO_ROUTE);
    memcpy(text, "habit/v1/gw/", 12);
    assert_int_equal(topic_read(&config, text, &topic, &refusal), REFUSAL_NO_ROUTE);
    memset(text + 12, 'x', sizeof(text) - 13);
    memcpy(text + sizeof(text) - 8, "/buffer", 7);
    assert_int_equal(topic_read(&config, text, &topic, &refusal), REFUSAL_MACHINE_ID);
}

static void subscribes_to_all_and_nothing_else(void **state)
{
    static const char *const expected[] = {
        "habit/v1/gw/+/buffer",
        "habit/v1/gw/+/learn",
        "habit/v1/gw/+/detect",
        "habit/v1/gw/+/context",
        "factory/+/+/accel",
        "+/vib",
        "/lab//+",
    };
    char filter[TOPIC_SIZE];

    (void)state;
    assert_int_equal(topic_filters(&config), sizeof(expected) / sizeof(expected[0]));
    for (size_t i = 0; i < topic_filters(&config); i++)
        assert_string_equal(topic_filter(&config, i, filter), expected[i]);
}

/* What the configuration adds. */
static void commands_and_births(void **state)
{
    struct config more = config;
    struct refusal refusal = { 0 };
    char filter[TOPIC_SIZE], unwanted[2][TOPIC_SIZE];
    struct topic topic;

    (void)state;
    assert_int_equal(topic_read(&more, "habit/v1/gw/pump-1/cmd/commission", &topic, &refusal), REFUSAL_NO_ROUTE);
    assert_non_null(strstr(refusal.detail, "commands = yes"));
    assert_int_equal(topic_unwanted(&more, unwanted), 2);
    assert_string_equal(unwanted[0], "habit/v1/gw/+/cmd/+");

    more.mqtt_commands = true;
    more.mqtt_discovery = DISCOVERY_BIRTH;
    strcpy(more.mqtt_discovery_prefix, "ha");
    assert_int_equal(topic_unwanted(&more, unwanted), 0);
    assert_int_equal(topic_filters(&more), topic_filters(&config) + 2);
    assert_string_equal(topic_filter(&more, topic_filters(&config), filter), "habit/v1/gw/+/cmd/+");
    assert_string_equal(topic_filter(&more, topic_filters(&config) + 1, filter), "ha/status");
    assert_int_equal(topic_read(&more, "habit/v1/gw/pump-1/cmd/commission", &topic, &refusal), 0);
    assert_int_equal(topic.kind, TOPIC_COMMAND);
    assert_string_equal(topic.machine, "pump-1");
    assert_string_equal(topic.verb, "commission");
    assert_int_equal(topic_read(&more, "ha/status", &topic, &refusal), 0);
    assert_int_equal(topic.kind, TOPIC_BIRTH);
    assert_int_equal(topic_read(&more, "ha/status/x", &topic, &refusal), REFUSAL_NO_ROUTE);
    assert_int_equal(topic_read(&more, "habit/v1/gw/a b/cmd/commission", &topic, &refusal), REFUSAL_MACHINE_ID);
    for (const char *const *text =
             (const char *const[]){ "habit/v1/gw/pump-1/cmd", "habit/v1/gw/pump-1/cmd/", "habit/v1/gw/pump-1/cmd/a/b",
                                    "habit/v1/gw/pump-1/cmd/a234567890123456", NULL };
         *text; text++)
        assert_int_equal(topic_read(&more, *text, &topic, &refusal), REFUSAL_NO_ROUTE);
    assert_string_equal(topic_of_discovery(&more, "pump_1", filter), "ha/device/habit_gw_pump_1/config");
    assert_string_equal(topic_of_discovery(&more, NULL, filter), "ha/device/habit_gw/config");
    more.mqtt_commands = false; /* then the birth is the one behind the inputs */
    assert_string_equal(topic_filter(&more, topic_filters(&config), filter), "ha/status");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commands_and_births),
        cmocka_unit_test(reads_every_row),
        cmocka_unit_test(survives_the_longest_topic),
        cmocka_unit_test(subscribes_to_all_and_nothing_else),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
