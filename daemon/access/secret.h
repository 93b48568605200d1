/* Random secrets and their digests, by GnuTLS. A secret has 256 random bits, so a plain SHA-256 of it needs no salt and no
 * slow hash: nobody can try them all. Pure but for chance. */
#ifndef HABIT_ACCESS_SECRET_H
#define HABIT_ACCESS_SECRET_H

#include <stdbool.h>
#include <stddef.h>

enum {
    SECRET_BYTES = 32,
    SECRET_SIZE = 44, /* as text, base64url without padding, with its NUL */
    DIGEST_SIZE = 32, /* SHA-256 */
    DIGEST_TEXT_SIZE = 65
};

/* A new secret as text. Returns 0, or -EIO where the system has no chance to give. */
int secret_make(char text[SECRET_SIZE]);

/* SHA-256 of a text. Returns 0 or -EIO. */
int secret_digest(const char *text, unsigned char digest[DIGEST_SIZE]);

/* Whether two digests are the same, in a time that does not tell where they differ. */
bool secret_same(const unsigned char a[DIGEST_SIZE], const unsigned char b[DIGEST_SIZE]);

/* Lower-case hex, and back: false where it is anything else. */
const char *digest_text(const unsigned char digest[DIGEST_SIZE], char text[DIGEST_TEXT_SIZE]);
bool digest_parse(const char *text, unsigned char digest[DIGEST_SIZE]);

#endif
