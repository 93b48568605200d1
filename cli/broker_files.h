/* Mosquitto's password file and ACL file: one user at a time, the rest is left as it is. */
#ifndef HABIT_CLI_BROKER_FILES_H
#define HABIT_CLI_BROKER_FILES_H

#include <stdbool.h>
#include <stdio.h>

/* The text of such a file with the user in it, whatever it had of him before: with this password; with these lines below "user NAME".
 * `text` is used up. Heap; NULL after saying why. */
char *broker_password_text(char *text, const char *user, const char *password);
char *broker_acl_text(char *text, const char *user, const char *lines);

/* What a habitd may do at the broker. */
void broker_gateway_rights(FILE *file, const char *gateway);

/* Gives a user a password, in the broker's own form ($7$: PBKDF2-SHA512); password NULL: removes the user. `other` users stay.
 * Returns 0 or EXIT_FAILED after saying why; then the file is as it was. */
int broker_password_put(const char *path, const char *user, const char *password);

/* The same of what a user may do: lines of the ACL file below "user NAME"; NULL: removes the user. */
int broker_acl_put(const char *path, const char *user, const char *lines);

/* Whether the ACL file has a block of this user. */
bool broker_acl_has(const char *text, const char *user);

/* Whether a text of passwords has this user. */
bool broker_password_has(const char *text, const char *user);

#endif
