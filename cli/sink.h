/* Where simulated buffers go: a file, a daemon over HTTP, or a broker over MQTT. What goes wrong is said on stderr; calls
 * return 0 or an exit code. */
#ifndef HABIT_CLI_SINK_H
#define HABIT_CLI_SINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "samples.h"

#define SINK_ACTIONS "buffer|learn|detect"
enum sink_action { SINK_BUFFER, SINK_LEARN, SINK_DETECT };

struct sink_setup {
    const char *path;                          /* a file; NULL = standard output */
    const char *http;                          /* URL of a daemon */
    const char *mqtt;                          /* host, host:port or [address]:port */
    const char *root;                          /* of MQTT topics */
    const char *username, *password_file, *ca; /* at the broker; ca: PEM file that turns TLS on; NULL = none */
    enum samples_format format;                /* never AUTO */
    struct samples_shape shape;
    enum sink_action action;
    const char *boot; /* NULL = buffers are not numbered */
    bool quiet;       /* no line for each buffer */
};

struct sink_buffer {
    const char *machine;
    uint64_t number; /* from the first of this machine; its seq where they are numbered */
    const float *samples;
};

struct sink;

struct sink_kind {
    int (*open)(struct sink *sink);
    int (*send)(struct sink *sink, const struct sink_buffer *buffer, const void *bytes, size_t size);
    int (*finish)(struct sink *sink); /* waits until everything is where it should be; says what was refused */
    void (*close)(struct sink *sink);
};

struct sink {
    const struct sink_kind *kind;
    struct sink_setup setup;
    unsigned char *bytes; /* of one encoded buffer */
    void *state;          /* of the kind */
};

extern const struct sink_kind sink_file, sink_http, sink_mqtt;

int sink_open(struct sink *sink, const struct sink_setup *setup);
int sink_send(struct sink *sink, const struct sink_buffer *buffer);
int sink_finish(struct sink *sink);

/* Also after a failed open; a file that was not finished leaves no trace. */
void sink_close(struct sink *sink);

#endif
