/* Mosquitto's password file and ACL file: one user at a time, the rest is left as it is. */
#ifndef HABIT_CLI_BROKER_FILES_H
#define HABIT_CLI_BROKER_FILES_H

#include <stdbool.h>

/* Gives a user a password, in the broker's own form ($7$: PBKDF2-SHA512); password NULL: removes the user. `other` users stay.
 * Returns 0 or EXIT_FAILED after saying why; then the file is as it was. */
int broker_password_put(const char *path, const char *user, const char *password);

/* The same of what a user may do: lines of the ACL file below "user NAME"; NULL: removes the user. */
int broker_acl_put(const char *path, const char *user, const char *lines);

/* Whether the ACL file has a block of this user. */
bool broker_acl_has(const char *text, const char *user);

#endif
