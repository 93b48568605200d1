/* Files of `habit setup` that other commands know. */
#ifndef HABIT_CLI_SETUP_PATHS_H
#define HABIT_CLI_SETUP_PATHS_H

/* The CA that signs habitd's and the broker's certificates; everybody may read it. */
#define SETUP_CA "/etc/habit/tls/ca.pem"

#endif
