/* habitd as a whole: owns every room, starts them in order, stops them in the other. */
#ifndef HABIT_APP_H
#define HABIT_APP_H

#include "config/config.h"

struct app;

/* config_path: the file that `config` was read from, for SIGHUP. Both are the caller's and outlive the app.
 *
 * Opens the store, loads the machines, opens the doors. message: what to print where r is not 0. */
enum { APP_MESSAGE_SIZE = 600 };
int app_new(struct app **ret_app, const struct config *config, const char *config_path, char message[APP_MESSAGE_SIZE]);

/* Works until SIGTERM or SIGINT. The signals are blocked in all threads: call before app_new makes any. */
void app_block_signals(void);
int app_run(struct app *app);

/* Intake stops, everything commits, `offline` is published, all within 5 s. NULL is fine; always returns NULL. */
struct app *app_free(struct app *app);

#endif
