#include "certificate.h"

#include <arpa/inet.h>
#include <gnutls/crypto.h>
#include <gnutls/x509.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "message.h"
#include "options.h"

enum { DAY = 86400, SERIAL = 16, KEY_ID = 64, COMMON_NAME = 64 };

/* One certificate with its key, and who signs it. */
struct made {
    gnutls_x509_crt_t certificate;
    gnutls_x509_privkey_t key;
};

static gnutls_datum_t datum_of(const char *text)
{
    return (gnutls_datum_t){ .data = (unsigned char *)text, .size = (unsigned int)strlen(text) };
}

static int failed(const char *what, int result)
{
    complain("cannot make %s: %s", what, gnutls_strerror(result));
    return EXIT_FAILED;
}

static void made_clear(struct made *made)
{
    if (made->certificate)
        gnutls_x509_crt_deinit(made->certificate);
    if (made->key)
        gnutls_x509_privkey_deinit(made->key);
    *made = (struct made){ NULL, NULL };
}

static char *pem_of(const gnutls_datum_t *datum)
{
    return strndup((const char *)datum->data, datum->size);
}

/* The two as texts. */
static int export(const struct made *made, struct key_pair *pair)
{
    gnutls_datum_t certificate = { NULL, 0 }, key = { NULL, 0 };
    int result = gnutls_x509_crt_export2(made->certificate, GNUTLS_X509_FMT_PEM, &certificate);

    if (result >= 0)
        result = gnutls_x509_privkey_export2_pkcs8(made->key, GNUTLS_X509_FMT_PEM, NULL, GNUTLS_PKCS_PLAIN, &key);
    if (result >= 0) {
        pair->certificate = pem_of(&certificate);
        pair->key = pem_of(&key);
    }
    gnutls_free(certificate.data);
    if (key.data)
        gnutls_memset(key.data, 0, key.size);
    gnutls_free(key.data);
    if (result < 0)
        return failed("a certificate", result);
    return pair->certificate && pair->key ? 0 : failed("a certificate", GNUTLS_E_MEMORY_ERROR);
}

/* Where time_t has 32 bits, Debian 12's armhf, the last moment that it has. */
static time_t end_of(time_t now, int days)
{
    const int64_t end = (int64_t)now + (int64_t)days * DAY;

    return (time_t)end == end ? (time_t)end : INT32_MAX;
}

/* A key, a serial number, and a time that began yesterday: clocks of others may be behind. */
static int begin(struct made *made, const char *name, int days)
{
    unsigned char serial[SERIAL] = { 0 };
    time_t now = time(NULL);
    int result = gnutls_x509_crt_init(&made->certificate);

    if (result >= 0)
        result = gnutls_x509_privkey_init(&made->key);
    if (result >= 0)
        result = gnutls_x509_privkey_generate(made->key, GNUTLS_PK_ECDSA,
                                              GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0);
    if (result >= 0)
        result = gnutls_rnd(GNUTLS_RND_NONCE, serial, sizeof(serial));
    serial[0] = (unsigned char)((serial[0] & 0x7f) | 0x40); /* a positive number, always as long */
    if (result >= 0)
        result = gnutls_x509_crt_set_version(made->certificate, 3);
    if (result >= 0)
        result = gnutls_x509_crt_set_serial(made->certificate, serial, sizeof(serial));
    if (result >= 0)
        result = gnutls_x509_crt_set_activation_time(made->certificate, now - DAY);
    if (result >= 0)
        result = gnutls_x509_crt_set_expiration_time(made->certificate, end_of(now, days));
    if (result >= 0)
        result = gnutls_x509_crt_set_key(made->certificate, made->key);
    if (result >= 0) /* clients go by the alternative names: this one is for people, and at most so long */
        result = gnutls_x509_crt_set_dn_by_oid(made->certificate, GNUTLS_OID_X520_COMMON_NAME, 0, name,
                                               (unsigned int)strnlen(name, COMMON_NAME));
    return result;
}

static int add_key_id(struct made *made)
{
    unsigned char id[KEY_ID];
    size_t size = sizeof(id);
    int result = gnutls_x509_crt_get_key_id(made->certificate, 0, id, &size);

    return result < 0 ? result : gnutls_x509_crt_set_subject_key_id(made->certificate, id, size);
}

int certificate_make_ca(struct key_pair *ca, const char *name)
{
    struct made made = { NULL, NULL };
    int result = begin(&made, name, CA_DAYS), r;

    if (result >= 0)
        result = gnutls_x509_crt_set_basic_constraints(made.certificate, 1, 0);
    if (result >= 0)
        result = gnutls_x509_crt_set_key_usage(made.certificate, GNUTLS_KEY_KEY_CERT_SIGN | GNUTLS_KEY_CRL_SIGN);
    if (result >= 0)
        result = add_key_id(&made);
    if (result >= 0)
        result = gnutls_x509_crt_sign2(made.certificate, made.certificate, made.key, GNUTLS_DIG_SHA256, 0);
    r = result < 0 ? failed("the CA", result) : export(&made, ca);
    made_clear(&made);
    return r;
}

/* ---------------------------------------------------------------------------------------------------------- servers */

static int add_name(gnutls_x509_crt_t certificate, const char *name)
{
    unsigned char bytes[16];
    bool four = inet_pton(AF_INET, name, bytes) == 1, six = !four && inet_pton(AF_INET6, name, bytes) == 1;

    if (four || six)
        return gnutls_x509_crt_set_subject_alt_name(certificate, GNUTLS_SAN_IPADDRESS, bytes, four ? 4 : 16,
                                                    GNUTLS_FSAN_APPEND);
    return gnutls_x509_crt_set_subject_alt_name(certificate, GNUTLS_SAN_DNSNAME, name, (unsigned int)strlen(name),
                                                GNUTLS_FSAN_APPEND);
}

/* Which of the CA's keys has signed it. */
static int add_issuer_id(struct made *made, const struct made *ca)
{
    unsigned char id[KEY_ID];
    size_t size = sizeof(id);
    int result = gnutls_x509_crt_get_subject_key_id(ca->certificate, id, &size, NULL);

    return result < 0 ? result : gnutls_x509_crt_set_authority_key_id(made->certificate, id, size);
}

static int load_ca(struct made *made, const struct key_pair *ca)
{
    gnutls_datum_t certificate = datum_of(ca->certificate), key = datum_of(ca->key);
    unsigned char of_key[KEY_ID], of_certificate[KEY_ID];
    size_t key_size = sizeof(of_key), certificate_size = sizeof(of_certificate);
    const char *wrong = NULL;
    int result = gnutls_x509_crt_init(&made->certificate);

    if (result >= 0)
        result = gnutls_x509_privkey_init(&made->key);
    if (result >= 0)
        result = gnutls_x509_crt_import(made->certificate, &certificate, GNUTLS_X509_FMT_PEM);
    if (result >= 0)
        result = gnutls_x509_privkey_import2(made->key, &key, GNUTLS_X509_FMT_PEM, NULL, 0);
    if (result >= 0)
        result = gnutls_x509_privkey_get_key_id(made->key, 0, of_key, &key_size);
    if (result >= 0)
        result = gnutls_x509_crt_get_key_id(made->certificate, 0, of_certificate, &certificate_size);
    if (result < 0)
        wrong = gnutls_strerror(result);
    else if (key_size != certificate_size || memcmp(of_key, of_certificate, key_size) != 0)
        wrong = "ca.key is not the key of ca.pem";
    else if (gnutls_x509_crt_get_ca_status(made->certificate, NULL) <= 0)
        wrong = "ca.pem is not a CA";
    else if (gnutls_x509_crt_get_expiration_time(made->certificate) < time(NULL))
        wrong = "ca.pem has expired: move it and ca.key away, and a new one is made";
    if (wrong)
        complain("the CA cannot sign: %s", wrong);
    return wrong ? EXIT_DATA : 0;
}

static int describe(struct made *made, const struct made *ca, const struct host_names *names)
{
    int result = begin(made, names->name[0], SERVER_DAYS);

    for (size_t i = 0; i < names->count && result >= 0; i++)
        result = add_name(made->certificate, names->name[i]);
    if (result >= 0)
        result = gnutls_x509_crt_set_basic_constraints(made->certificate, 0, -1);
    if (result >= 0)
        result = gnutls_x509_crt_set_key_usage(made->certificate, GNUTLS_KEY_DIGITAL_SIGNATURE);
    if (result >= 0)
        result = gnutls_x509_crt_set_key_purpose_oid(made->certificate, GNUTLS_KP_TLS_WWW_SERVER, 0);
    if (result >= 0)
        result = add_key_id(made);
    if (result >= 0)
        result = add_issuer_id(made, ca);
    if (result >= 0)
        result = gnutls_x509_crt_sign2(made->certificate, ca->certificate, ca->key, GNUTLS_DIG_SHA256, 0);
    return result < 0 ? failed("the certificate", result) : 0;
}

int certificate_sign(struct key_pair *pair, const struct key_pair *ca, const struct host_names *names)
{
    struct made made = { NULL, NULL }, signer = { NULL, NULL };
    int r = load_ca(&signer, ca);

    if (r == 0)
        r = describe(&made, &signer, names);
    if (r == 0)
        r = export(&made, pair);
    made_clear(&made);
    made_clear(&signer);
    return r;
}

/* ---------------------------------------------------------------------------------------------------------- looking */

static gnutls_x509_crt_t read_certificate(const char *pem)
{
    gnutls_datum_t text = datum_of(pem);
    gnutls_x509_crt_t certificate;

    if (gnutls_x509_crt_init(&certificate) < 0)
        return NULL;
    if (gnutls_x509_crt_import(certificate, &text, GNUTLS_X509_FMT_PEM) >= 0)
        return certificate;
    gnutls_x509_crt_deinit(certificate);
    return NULL;
}

bool certificate_covers(const char *pem, const char *name)
{
    gnutls_x509_crt_t certificate = read_certificate(pem);
    bool covers = certificate && gnutls_x509_crt_check_hostname(certificate, name) != 0;

    if (certificate)
        gnutls_x509_crt_deinit(certificate);
    return covers;
}

/* An alternative name as text; false where it is of another kind. */
static bool name_text(int type, const unsigned char *bytes, size_t size, char text[HOST_NAME_SIZE])
{
    if (type == GNUTLS_SAN_DNSNAME && size < HOST_NAME_SIZE)
        return snprintf(text, HOST_NAME_SIZE, "%.*s", (int)size, (const char *)bytes) > 0;
    return type == GNUTLS_SAN_IPADDRESS && (size == 4 || size == 16) &&
           inet_ntop(size == 4 ? AF_INET : AF_INET6, bytes, text, HOST_NAME_SIZE);
}

void certificate_names(const char *pem, struct host_names *names)
{
    gnutls_x509_crt_t certificate = read_certificate(pem);
    char text[HOST_NAME_SIZE];

    for (unsigned int i = 0; certificate; i++) {
        unsigned char bytes[HOST_NAME_SIZE];
        size_t size = sizeof(bytes);
        int type = gnutls_x509_crt_get_subject_alt_name(certificate, i, bytes, &size, NULL);

        if (type < 0)
            break;
        if (name_text(type, bytes, size, text))
            host_add(names, text);
    }
    if (certificate)
        gnutls_x509_crt_deinit(certificate);
}

const char *certificate_fingerprint(const char *pem, char text[FINGERPRINT_SIZE])
{
    gnutls_x509_crt_t certificate = read_certificate(pem);
    unsigned char bytes[32];
    size_t size = sizeof(bytes);

    text[0] = '\0';
    if (!certificate)
        return text;
    if (gnutls_x509_crt_get_fingerprint(certificate, GNUTLS_DIG_SHA256, bytes, &size) >= 0)
        for (size_t i = 0; i < size; i++)
            snprintf(text + 3 * i, FINGERPRINT_SIZE - 3 * i, i + 1 < size ? "%02X:" : "%02X", bytes[i]);
    gnutls_x509_crt_deinit(certificate);
    return text;
}

void key_pair_clear(struct key_pair *pair)
{
    free(pair->certificate);
    if (pair->key)
        explicit_bzero(pair->key, strlen(pair->key));
    free(pair->key);
    *pair = (struct key_pair){ NULL, NULL };
}
