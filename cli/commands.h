/* Every command of `habit`, each in a file of its name. */
#ifndef HABIT_CLI_COMMANDS_H
#define HABIT_CLI_COMMANDS_H

#include "options.h"

extern const struct command emulate_command;
extern const struct command inspect_command;
extern const struct command convert_command;
extern const struct command simulate_command;
extern const struct command adopt_command;
extern const struct command commission_command;
extern const struct command machines_command;
extern const struct command pending_command;
extern const struct command anomalies_command;
extern const struct command episodes_command;
extern const struct command report_command;
extern const struct command accept_command;
extern const struct command mute_command;
extern const struct command unmute_command;
extern const struct command snapshots_command;
extern const struct command relearn_command;
extern const struct command replay_command;
extern const struct command export_command;
extern const struct command token_command;
extern const struct command node_command;
extern const struct command audit_command;
extern const struct command setup_command;
extern const struct command status_command;
extern const struct command watch_command;
extern const struct command backup_command;
extern const struct command wipe_command;
extern const struct command benchmark_command;

#endif
