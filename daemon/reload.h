/* What SIGHUP does. */
#ifndef HABIT_RELOAD_H
#define HABIT_RELOAD_H

#include "access/access.h"
#include "config/config.h"
#include "store/store.h"

/* Reads the configuration anew, and the tokens and certificates that it names. All of it is checked first; where anything is wrong,
 * nothing is changed, and the log and the record of changes say what. Then tokens, certificate and log level are put in force; of other keys that have
 * changed the log says that they wait for a restart. No queue, no connection and no machine is touched. `config` is what is in
 * force. Returns 0 or -EINVAL. */
int reload(const struct config *config, const char *path, struct access *access, struct store *store);

/* Tokens of [http] tokens into `access`; "" = none are needed. Returns 0, or -EINVAL with what is wrong. */
int load_tokens(const struct config *config, struct access *access, char message[TOKEN_MESSAGE_SIZE]);

/* By its name in the configuration. */
void use_log_level(const char *name);

#endif
