/* Subscribes at QoS 1 and only counts: what habitd's MQTT door is measured against. Its own loop, by turns as habitd's.
 *
 * usage: mqtt-count PORT FILTER
 *
 * Prints "ready", and on SIGUSR1 how many messages came so far. */
#include <mosquitto.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "common.h"

static volatile sig_atomic_t asked;

struct counter {
    const char *filter;
    uint64_t messages, bytes;
};

static void on_signal(int number)
{
    (void)number;
    asked = 1;
}

static void on_connect(struct mosquitto *client, void *user, int code)
{
    const struct counter *counter = user;

    if (code != 0 || mosquitto_subscribe(client, NULL, counter->filter, 1) != MOSQ_ERR_SUCCESS)
        bench_die("the broker refuses: %d", code);
}

static void on_subscribe(struct mosquitto *client, void *user, int id, int count, const int *granted)
{
    (void)client;
    (void)user;
    (void)id;
    (void)count;
    (void)granted;
    puts("ready");
    fflush(stdout);
}

static void on_message(struct mosquitto *client, void *user, const struct mosquitto_message *message)
{
    struct counter *counter = user;

    (void)client;
    counter->messages++;
    counter->bytes += (uint64_t)message->payloadlen;
}

int main(int argc, char **argv)
{
    struct counter counter = { 0 };
    struct mosquitto *client;

    if (argc < 3)
        bench_die("usage: mqtt-count PORT FILTER");
    counter.filter = argv[2];
    signal(SIGUSR1, on_signal);
    mosquitto_lib_init();
    client = mosquitto_new(NULL, true, &counter);
    if (!client)
        bench_die("no memory");
    mosquitto_connect_callback_set(client, on_connect);
    mosquitto_subscribe_callback_set(client, on_subscribe);
    mosquitto_message_callback_set(client, on_message);
    mosquitto_int_option(client, MOSQ_OPT_TCP_NODELAY, 1);
    mosquitto_int_option(client, MOSQ_OPT_RECEIVE_MAXIMUM, 128);
    if (mosquitto_connect(client, "127.0.0.1", atoi(argv[1]), 60) != MOSQ_ERR_SUCCESS)
        bench_die("no broker on port %s", argv[1]);
    for (;;) {
        if (mosquitto_loop(client, 1000, 1) != MOSQ_ERR_SUCCESS && !asked)
            bench_die("the broker is gone");
        if (asked) {
            asked = 0;
            printf("%llu\n", (unsigned long long)counter.messages);
            fflush(stdout);
        }
    }
}
