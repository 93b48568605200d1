/* Sends the same request again and again on connections that are kept alive, a thread for each; every answer has to be 200.
 *
 * usage: http-load PORT PATH TYPE BODY-FILE CONNECTIONS SECONDS RATE PID [ANSWER-FILE]
 *
 * PATH may hold %d: the number of the connection. RATE: requests a second of all together, 0 = as many as there can be; with a
 * rate a latency counts from the moment at which the request was due. PID: the server, whose CPU time is measured. The first answer's
 * body goes to ANSWER-FILE. Prints one line of JSON. */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common.h"

enum { MOST_CONNECTIONS = 128, ANSWER_ROOM = 4 * 1024 * 1024 };

struct load {
    unsigned int port, connections;
    const char *path, *type, *answer_path;
    const char *body;
    size_t body_size;
    int64_t begin, end, interval; /* ns; interval 0 = none */
};

struct client {
    const struct load *load;
    unsigned int number;
    int fd;
    char *request;
    size_t request_size;
    char *answer;
    uint64_t done;
    struct bench_latency latency;
    pthread_t thread;
};

static int connect_to(unsigned int port)
{
    const struct sockaddr_in address = { .sin_family = AF_INET,
                                         .sin_port = htons((uint16_t)port),
                                         .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    const int on = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
        bench_die("nobody listens on port %u", port);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    return fd;
}

static void make_request(struct client *client)
{
    const struct load *load = client->load;
    char head[1024], path[512];
    int size;

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    snprintf(path, sizeof(path), load->path, client->number);
#pragma GCC diagnostic pop
    size = snprintf(head, sizeof(head),
                    "POST %s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nContent-Type: %s\r\nContent-Length: %zu\r\n\r\n", path,
                    load->port, load->type, load->body_size);
    client->request_size = (size_t)size + load->body_size;
    client->request = malloc(client->request_size);
    client->answer = malloc(ANSWER_ROOM + 1);
    if (!client->request || !client->answer)
        bench_die("no memory");
    memcpy(client->request, head, (size_t)size);
    memcpy(client->request + size, load->body, load->body_size);
}

static void send_request(struct client *client)
{
    size_t sent = 0;

    while (sent < client->request_size) {
        ssize_t more = send(client->fd, client->request + sent, client->request_size - sent, MSG_NOSIGNAL);

        if (more <= 0)
            bench_die("the server closed the connection");
        sent += (size_t)more;
    }
}

/* Reads head and body. Returns the body's size. */
static size_t read_answer(struct client *client, const char **body)
{
    size_t have = 0, wanted = 0, length = 0;

    while (wanted == 0 || have < wanted) {
        ssize_t more = recv(client->fd, client->answer + have, ANSWER_ROOM - have, 0);
        const char *end, *field;

        if (more <= 0)
            bench_die("no answer to request %llu", (unsigned long long)client->done);
        have += (size_t)more;
        client->answer[have] = '\0';
        if (wanted != 0 || !(end = strstr(client->answer, "\r\n\r\n")))
            continue;
        field = strcasestr(client->answer, "\r\nContent-Length:");
        if (strncmp(client->answer, "HTTP/1.1 200", 12) != 0 || !field)
            bench_die("answer: %.600s", client->answer);
        length = strtoul(field + 17, NULL, 10);
        *body = end + 4;
        wanted = (size_t)(*body - client->answer) + length;
    }
    return length;
}

static void keep_answer(const char *path, const char *body, size_t size)
{
    FILE *file = fopen(path, "wb");

    if (!file || fwrite(body, 1, size, file) != size || fclose(file) != 0)
        bench_die("%s cannot be written", path);
}

static void *run(void *user)
{
    struct client *client = user;
    const struct load *load = client->load;
    int64_t due = load->begin + load->interval * client->number / load->connections, now;
    const char *body;

    bench_sleep_until(due);
    for (now = bench_now(); now < load->end; now = bench_now()) {
        const int64_t began = load->interval > 0 ? due : now;
        size_t size;

        send_request(client);
        size = read_answer(client, &body);
        bench_latency_note(&client->latency, bench_now() - began);
        if (client->done++ == 0 && client->number == 0 && load->answer_path)
            keep_answer(load->answer_path, body, size);
        due += load->interval;
        if (load->interval > 0)
            bench_sleep_until(due);
    }
    return NULL;
}

int main(int argc, char **argv)
{
    struct load load = { 0 };
    struct client *clients;
    struct bench_latency latency = { 0 };
    struct bench_result result = { .latency = &latency };
    double rate;
    pid_t pid;

    if (argc < 9)
        bench_die("usage: http-load PORT PATH TYPE BODY-FILE CONNECTIONS SECONDS RATE PID [ANSWER-FILE]");
    load.port = (unsigned int)atoi(argv[1]);
    load.path = argv[2];
    load.type = argv[3];
    load.body = bench_read(argv[4], &load.body_size);
    load.connections = (unsigned int)atoi(argv[5]);
    rate = atof(argv[7]);
    pid = atoi(argv[8]);
    load.answer_path = argc > 9 ? argv[9] : NULL;
    if (load.connections < 1 || load.connections > MOST_CONNECTIONS)
        bench_die("1..%d connections", MOST_CONNECTIONS);
    load.interval = rate > 0 ? (int64_t)(1e9 * load.connections / rate) : 0;

    clients = calloc(load.connections, sizeof(*clients));
    for (unsigned int i = 0; clients && i < load.connections; i++) {
        clients[i] = (struct client){ .load = &load, .number = i, .fd = connect_to(load.port) };
        make_request(&clients[i]);
    }
    load.begin = bench_now();
    load.end = load.begin + (int64_t)(atof(argv[6]) * 1e9);
    result.cpu = -bench_cpu(pid);
    for (unsigned int i = 0; clients && i < load.connections; i++)
        if (pthread_create(&clients[i].thread, NULL, run, &clients[i]) != 0)
            bench_die("no thread");
    for (unsigned int i = 0; clients && i < load.connections; i++) {
        pthread_join(clients[i].thread, NULL);
        bench_latency_add(&latency, &clients[i].latency);
        result.done += clients[i].done;
    }
    result.elapsed = bench_now() - load.begin;
    result.cpu += bench_cpu(pid);
    bench_print(&result);
    return EXIT_SUCCESS;
}
