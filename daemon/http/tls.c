#include "http/tls.h"

#include <errno.h>
#include <fcntl.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"

enum { CHAIN = 8, GENERATIONS = 8, ID_SIZE = 64 };

struct tls {
    gnutls_pcert_st chain[CHAIN];
    unsigned int length;
    gnutls_privkey_t key;
    gnutls_x509_crt_t own; /* the first of the chain */
};

/* libmicrohttpd gives the callback of a handshake no argument of ours, so what is in force lives here. A handshake under way may
 * still use an older one: the last GENERATIONS are kept. */
static struct {
    pthread_mutex_t lock;
    struct tls *generations[GENERATIONS]; /* the newest first; NULL = none */
} in_force = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* --------------------------------------------------------------------------------------------------------- loading */

static int wrong(char message[TLS_MESSAGE_SIZE], const char *file, const char *what)
{
    snprintf(message, TLS_MESSAGE_SIZE, "%.250s: %s", file, what);
    return -EINVAL;
}

static int check_private(const char *file, char message[TLS_MESSAGE_SIZE])
{
    struct stat status;

    if (stat(file, &status) != 0)
        return wrong(message, file, strerror(errno));
    if (!S_ISREG(status.st_mode))
        return wrong(message, file, "is not a regular file");
    if (status.st_mode & (S_IROTH | S_IWOTH))
        return wrong(message, file, "others can read or change it: chmod 0640 (its group is that of habitd)");
    return 0;
}

static int load_chain(struct tls *tls, const char *file, char message[TLS_MESSAGE_SIZE])
{
    gnutls_datum_t bytes = { NULL, 0 };
    int result = gnutls_load_file(file, &bytes);

    if (result < 0)
        return wrong(message, file, "cannot be read");
    tls->length = CHAIN;
    result = gnutls_pcert_list_import_x509_raw(tls->chain, &tls->length, &bytes, GNUTLS_X509_FMT_PEM, 0);
    if (result < 0)
        tls->length = 0;
    if (result >= 0)
        result = gnutls_x509_crt_init(&tls->own);
    if (result >= 0)
        result = gnutls_x509_crt_import(tls->own, &tls->chain[0].cert, GNUTLS_X509_FMT_DER);
    gnutls_free(bytes.data);
    return result < 0 ? wrong(message, file, "holds no certificate in PEM form, habitd's own first") : 0;
}

static int load_key(struct tls *tls, const char *file, char message[TLS_MESSAGE_SIZE])
{
    gnutls_datum_t bytes = { NULL, 0 };
    int r = check_private(file, message), result;

    if (r < 0)
        return r;
    result = gnutls_load_file(file, &bytes);
    if (result < 0)
        return wrong(message, file, "cannot be read");
    result = gnutls_privkey_init(&tls->key);
    if (result >= 0)
        result = gnutls_privkey_import_x509_raw(tls->key, &bytes, GNUTLS_X509_FMT_PEM, NULL, 0);
    gnutls_memset(bytes.data, 0, bytes.size);
    gnutls_free(bytes.data);
    return result < 0 ? wrong(message, file, "holds no private key in PEM form without a password") : 0;
}

static bool belong_together(const struct tls *tls)
{
    unsigned char of_key[ID_SIZE], of_certificate[ID_SIZE];
    size_t key_size = sizeof(of_key), certificate_size = sizeof(of_certificate);
    gnutls_pubkey_t public;
    bool same;

    if (gnutls_pubkey_init(&public) < 0)
        return false;
    same = gnutls_pubkey_import_privkey(public, tls->key, 0, 0) >= 0 &&
           gnutls_pubkey_get_key_id(public, 0, of_key, &key_size) >= 0 &&
           gnutls_x509_crt_get_key_id(tls->own, 0, of_certificate, &certificate_size) >= 0 &&
           key_size == certificate_size && memcmp(of_key, of_certificate, key_size) == 0;
    gnutls_pubkey_deinit(public);
    return same;
}

/* -1: not known, as of times after 2038 where time_t has 32 bits. */
static bool has_expired(gnutls_x509_crt_t certificate)
{
    int64_t expires = gnutls_x509_crt_get_expiration_time(certificate);

    return expires != -1 && expires * 1000 <= clock_now().wall;
}

int tls_load(struct tls **ret_tls, const char *certificate, const char *key, char message[TLS_MESSAGE_SIZE])
{
    struct tls *tls = calloc(1, sizeof(*tls));
    int r = tls ? load_chain(tls, certificate, message) : wrong(message, certificate, "out of memory");

    if (r == 0)
        r = load_key(tls, key, message);
    if (r == 0 && !belong_together(tls))
        r = wrong(message, key, "is not the key of the first certificate in [http] certificate");
    if (r < 0) {
        tls_free(tls);
        return r;
    }
    if (has_expired(tls->own))
        log_warning("%s has expired: clients will refuse it", certificate);
    *ret_tls = tls;
    return 0;
}

struct tls *tls_free(struct tls *tls)
{
    if (!tls)
        return NULL;
    for (unsigned int i = 0; i < tls->length; i++)
        gnutls_pcert_deinit(&tls->chain[i]);
    if (tls->key)
        gnutls_privkey_deinit(tls->key);
    if (tls->own)
        gnutls_x509_crt_deinit(tls->own);
    free(tls);
    return NULL;
}

/* -------------------------------------------------------------------------------------------------------- in force */

void tls_use(struct tls *tls)
{
    pthread_mutex_lock(&in_force.lock);
    tls_free(in_force.generations[GENERATIONS - 1]);
    for (size_t i = GENERATIONS - 1; i > 0; i--)
        in_force.generations[i] = in_force.generations[i - 1];
    in_force.generations[0] = tls;
    pthread_mutex_unlock(&in_force.lock);
}

void tls_forget(void)
{
    pthread_mutex_lock(&in_force.lock);
    for (size_t i = 0; i < GENERATIONS; i++)
        in_force.generations[i] = tls_free(in_force.generations[i]);
    pthread_mutex_unlock(&in_force.lock);
}

/* The host of "host:8088" and "[::1]:8088". */
static bool host_name(const char *host, char name[256])
{
    const char *end = host[0] == '[' ? strchr(host, ']') : host + strcspn(host, ":");

    host += host[0] == '[';
    if (!end || end - host >= 256)
        return false;
    memcpy(name, host, (size_t)(end - host));
    name[end - host] = '\0';
    return name[0] != '\0';
}

bool tls_covers(const char *host)
{
    char name[256];
    bool covers;

    if (!host_name(host, name))
        return false;
    pthread_mutex_lock(&in_force.lock);
    covers = in_force.generations[0] && gnutls_x509_crt_check_hostname(in_force.generations[0]->own, name) != 0;
    pthread_mutex_unlock(&in_force.lock);
    return covers;
}

int tls_on_handshake(gnutls_session_t session, const gnutls_datum_t *issuers, int issuer_count,
                     const gnutls_pk_algorithm_t *algorithms, int algorithm_count, gnutls_pcert_st **chain,
                     unsigned int *chain_length, gnutls_privkey_t *key)
{
    struct tls *tls;

    (void)session, (void)issuers, (void)issuer_count, (void)algorithms, (void)algorithm_count;
    pthread_mutex_lock(&in_force.lock);
    tls = in_force.generations[0];
    pthread_mutex_unlock(&in_force.lock);
    if (!tls)
        return -1;
    *chain = tls->chain;
    *chain_length = tls->length;
    *key = tls->key;
    return 0;
}

/* --------------------------------------------------------------------------------------------------------- clients */

bool tls_client_verified(struct MHD_Connection *connection)
{
    gnutls_typed_vdata_st purpose = { .type = GNUTLS_DT_KEY_PURPOSE_OID,
                                      .data = (unsigned char *)GNUTLS_KP_TLS_WWW_CLIENT };
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    unsigned int status = 0;

    return info && info->tls_session &&
           gnutls_certificate_verify_peers(info->tls_session, &purpose, 1, &status) == GNUTLS_E_SUCCESS && status == 0;
}
