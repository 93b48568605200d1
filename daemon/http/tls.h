/* Certificates: habitd's own, which can change while connections live, and those of clients. Internal to http/. */
#ifndef HABIT_HTTP_TLS_H
#define HABIT_HTTP_TLS_H

#include <gnutls/abstract.h>
#include <stdbool.h>

#include "http/request.h"

enum { TLS_MESSAGE_SIZE = 400 };

struct tls; /* a certificate chain and its key */

/* Reads two PEM files and checks that they belong together and that others cannot read the key. Returns 0; or -EINVAL with
 * "FILE: what is wrong". */
int tls_load(struct tls **ret_tls, const char *certificate, const char *key, char message[TLS_MESSAGE_SIZE]);
struct tls *tls_free(struct tls *tls); /* of one that is not in force; NULL is fine; always returns NULL */

/* Puts a certificate in force for connections that begin from now on; it belongs to this file then. What was in force before is
 * kept for handshakes under way. */
void tls_use(struct tls *tls);
void tls_forget(void); /* when nothing listens any more */

/* Whether the certificate in force is for this host, a name or an address, with or without a port behind it. */
bool tls_covers(const char *host);

/* For MHD_OPTION_HTTPS_CERT_CALLBACK. */
int tls_on_handshake(gnutls_session_t session, const gnutls_datum_t *issuers, int issuer_count,
                     const gnutls_pk_algorithm_t *algorithms, int algorithm_count, gnutls_pcert_st **chain,
                     unsigned int *chain_length, gnutls_privkey_t *key);

/* Whether the client of a connection has shown a certificate that [http] client_ca has signed for that purpose. */
bool tls_client_verified(struct MHD_Connection *connection);

#endif
