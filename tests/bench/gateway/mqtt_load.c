/* Publishes the same payload at QoS 1 to the topics of many machines by turns, with at most WINDOW messages unacknowledged.
 *
 * usage: mqtt-load PORT TOPIC PAYLOAD-FILE MACHINES SECONDS RATE WINDOW [SHARE]
 *
 * TOPIC holds %u: the machine's number. RATE: messages a second, 0 = as many as there can be. SHARE: the first tenth of the machines
 * sends this share of all (0.5), machines of a tenth and others by turns. Prints one line of JSON; latencies are those of the broker's
 * PUBACK. */
#include <errno.h>
#include <mosquitto.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common.h"

enum { MOST_IDS = 65536 };

struct load {
    struct mosquitto *client;
    const char *topic;
    const char *payload;
    size_t size;
    unsigned int machines, window, in_flight;
    double share;
    bool connected;
    uint64_t sent, acknowledged;
    unsigned int busy, others; /* next of the tenth, next of the others */
    int64_t began[MOST_IDS];   /* by message id */
    struct bench_latency latency;
};

static void on_connect(struct mosquitto *client, void *user, int code)
{
    struct load *load = user;

    (void)client;
    if (code != 0)
        bench_die("the broker refuses: %d", code);
    load->connected = true;
}

static void on_publish(struct mosquitto *client, void *user, int id)
{
    struct load *load = user;

    (void)client;
    load->in_flight--;
    load->acknowledged++;
    bench_latency_note(&load->latency, bench_now() - load->began[id]);
}

static unsigned int next_machine(struct load *load)
{
    const unsigned int tenth = load->machines / 10;

    if (load->share <= 0 || tenth == 0)
        return load->others++ % load->machines;
    if ((double)(load->sent % 1000) < load->share * 1000)
        return load->busy++ % tenth;
    return tenth + load->others++ % (load->machines - tenth);
}

static void publish_one(struct load *load)
{
    char topic[256];
    int id, rc;

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    snprintf(topic, sizeof(topic), load->topic, next_machine(load));
#pragma GCC diagnostic pop
    rc = mosquitto_publish(load->client, &id, topic, (int)load->size, load->payload, 1, false);
    if (rc != MOSQ_ERR_SUCCESS)
        bench_die("publish: %s", mosquitto_strerror(rc));
    load->began[id] = bench_now();
    load->in_flight++;
    load->sent++;
}

static void turn(struct load *load, int patience)
{
    struct pollfd fd = { .fd = mosquitto_socket(load->client), .events = POLLIN };
    int rc = MOSQ_ERR_SUCCESS;

    if (mosquitto_want_write(load->client))
        fd.events |= POLLOUT;
    poll(&fd, 1, patience);
    if (fd.revents & (POLLIN | POLLHUP | POLLERR))
        rc = mosquitto_loop_read(load->client, 1);
    if (rc == MOSQ_ERR_SUCCESS && fd.revents & POLLOUT)
        rc = mosquitto_loop_write(load->client, 1);
    if (rc == MOSQ_ERR_SUCCESS)
        rc = mosquitto_loop_misc(load->client);
    if (rc != MOSQ_ERR_SUCCESS)
        bench_die("the broker is gone: %s", mosquitto_strerror(rc));
}

static void run(struct load *load, int64_t begin, int64_t end, double rate)
{
    for (int64_t now = bench_now(); now < end; now = bench_now()) {
        const double due = rate > 0 ? (double)(now - begin) / 1e9 * rate : 1e18;

        while (load->in_flight < load->window && (double)load->sent < due)
            publish_one(load);
        turn(load, load->in_flight < load->window ? 1 : 100);
    }
    while (load->in_flight > 0 && bench_now() < end + INT64_C(10000000000))
        turn(load, 100);
}

int main(int argc, char **argv)
{
    static struct load load;
    struct bench_result result = { .latency = &load.latency };
    int64_t begin;

    if (argc < 8)
        bench_die("usage: mqtt-load PORT TOPIC PAYLOAD-FILE MACHINES SECONDS RATE WINDOW [SHARE]");
    load.topic = argv[2];
    load.payload = bench_read(argv[3], &load.size);
    load.machines = (unsigned int)atoi(argv[4]);
    load.window = (unsigned int)atoi(argv[7]);
    load.share = argc > 8 ? atof(argv[8]) : 0;
    mosquitto_lib_init();
    load.client = mosquitto_new(NULL, true, &load);
    if (!load.client)
        bench_die("no memory");
    mosquitto_connect_callback_set(load.client, on_connect);
    mosquitto_publish_callback_set(load.client, on_publish);
    mosquitto_int_option(load.client, MOSQ_OPT_TCP_NODELAY, 1);
    mosquitto_int_option(load.client, MOSQ_OPT_SEND_MAXIMUM, (int)load.window < 65535 ? (int)load.window : 65535);
    if (mosquitto_connect(load.client, "127.0.0.1", atoi(argv[1]), 60) != MOSQ_ERR_SUCCESS)
        bench_die("no broker on port %s", argv[1]);
    while (!load.connected)
        turn(&load, 100);
    begin = bench_now();
    run(&load, begin, begin + (int64_t)(atof(argv[5]) * 1e9), atof(argv[6]));
    result.elapsed = bench_now() - begin;
    result.done = load.acknowledged;
    result.failed = load.sent - load.acknowledged;
    bench_print(&result);
    mosquitto_disconnect(load.client);
    return EXIT_SUCCESS;
}
