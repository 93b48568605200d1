/* A certificate authority of one's own and what it signs, by GnuTLS: ECDSA with P-256, texts in PEM form. */
#ifndef HABIT_CLI_CERTIFICATE_H
#define HABIT_CLI_CERTIFICATE_H

#include "host.h"

enum { CA_DAYS = 3650, SERVER_DAYS = 820 }; /* Apple takes certificates of servers that last up to 825 */

struct key_pair {
    char *certificate, *key; /* PEM, heap */
};

/* A CA whose name is this. Returns 0, or EXIT_FAILED after saying why. */
int certificate_make_ca(struct key_pair *ca, const char *name);

/* A certificate for a server that all of these names and addresses call, signed by the CA. Returns 0; EXIT_FAILED, or EXIT_DATA where
 * the CA's texts are no CA that is in its time and has this key, after saying so. */
int certificate_sign(struct key_pair *pair, const struct key_pair *ca, const struct host_names *names);

/* Whether a certificate in PEM form is for this name or address. */
bool certificate_covers(const char *pem, const char *name);

/* Adds the names and addresses that a certificate is for. */
void certificate_names(const char *pem, struct host_names *names);

/* SHA-256 of a certificate as browsers show it, "3A:9F:..."; "" where it is none. */
enum { FINGERPRINT_SIZE = 96 };
const char *certificate_fingerprint(const char *pem, char text[FINGERPRINT_SIZE]);

void key_pair_clear(struct key_pair *pair);

#endif
