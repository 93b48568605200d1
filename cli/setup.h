/* What `habit setup` is to make, and making it. */
#ifndef HABIT_CLI_SETUP_H
#define HABIT_CLI_SETUP_H

#include <stdbool.h>

#include "config/config.h"
#include "host.h"
#include "token_file.h"

enum { SETUP_PATH_SIZE = 1024 };
#define SETUP_TOKEN "admin"  /* name of the token that it makes */
#define SETUP_USER  "habitd" /* habitd's user at the broker */

struct setup {
    const char *root; /* before every path that is read and written; "" = this host */
    struct config config;
    bool done;   /* 50-setup.conf is there: it stays as it is */
    bool listed; /* [gateway] id stands in another file */
    char address[64], gateway[GATEWAY_ID_SIZE];
    struct host_names names; /* that the certificates are for */
    size_t asked;            /* so many of the names, the first, come from --name */
    bool broker, renew, new_token;

    /* What it has made. */
    char secret[TOKEN_SECRET_SIZE]; /* "" = no token is new */
    bool changed_broker, changed_certificate;
};

/* "/etc/habit/tokens" below the root. */
const char *setup_path(const struct setup *setup, const char *path, char text[SETUP_PATH_SIZE]);
bool setup_has(const struct setup *setup, const char *path);

/* Whether somebody else has configured what it would: said with file and line. Returns 0 or EXIT_DATA. */
int setup_check(const struct setup *setup);

/* Makes what is not there yet, all of it or nothing. Returns 0, or an exit code after saying why. */
int setup_make(struct setup *setup);

/* SHA-256 of the CA's certificate, or of habitd's own, as browsers show it; "" where there is none. */
enum { SETUP_FINGERPRINT_SIZE = 96 };
const char *setup_fingerprint(const struct setup *setup, bool of_ca, char text[SETUP_FINGERPRINT_SIZE]);

#endif
