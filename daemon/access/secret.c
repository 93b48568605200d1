#include "access/secret.h"

#include <errno.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"

/* base64url (RFC 4648, section 5): fits into headers, cookies and addresses as it is. */
static void encode(const unsigned char *bytes, size_t size, char *text)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    uint32_t held = 0;
    unsigned int bits = 0;

    for (size_t i = 0; i < size; i++) {
        held = (held << 8) | bytes[i];
        for (bits += 8; bits >= 6; bits -= 6)
            *text++ = digits[(held >> (bits - 6)) & 63];
    }
    if (bits > 0)
        *text++ = digits[(held << (6 - bits)) & 63];
    *text = '\0';
}

int secret_make(char text[SECRET_SIZE])
{
    unsigned char bytes[SECRET_BYTES];

    if (gnutls_rnd(GNUTLS_RND_KEY, bytes, sizeof(bytes)) < 0)
        return fault(-EIO);
    encode(bytes, sizeof(bytes), text);
    explicit_bzero(bytes, sizeof(bytes));
    return 0;
}

int secret_digest(const char *text, unsigned char digest[DIGEST_SIZE])
{
    return gnutls_hash_fast(GNUTLS_DIG_SHA256, text, strlen(text), digest) < 0 ? fault(-EIO) : 0;
}

bool secret_same(const unsigned char a[DIGEST_SIZE], const unsigned char b[DIGEST_SIZE])
{
    return gnutls_memcmp(a, b, DIGEST_SIZE) == 0;
}

const char *digest_text(const unsigned char digest[DIGEST_SIZE], char text[DIGEST_TEXT_SIZE])
{
    for (size_t i = 0; i < DIGEST_SIZE; i++)
        snprintf(text + 2 * i, 3, "%02x", digest[i]);
    return text;
}

static int digit_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool digest_parse(const char *text, unsigned char digest[DIGEST_SIZE])
{
    if (strlen(text) != DIGEST_TEXT_SIZE - 1)
        return false;
    for (size_t i = 0; i < DIGEST_SIZE; i++) {
        int high = digit_of(text[2 * i]), low = digit_of(text[2 * i + 1]);

        if (high < 0 || low < 0)
            return false;
        digest[i] = (unsigned char)(high * 16 + low);
    }
    return true;
}
