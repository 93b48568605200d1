/* habit: scores recordings, simulates machines, inspects knowledge, and talks to habitd. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"
#include "message.h"

static const struct command *const commands[] = {
    &emulate_command,    &inspect_command,  &convert_command, &simulate_command,  &adopt_command,
    &commission_command, &machines_command, &pending_command, &anomalies_command, &report_command,
    &episodes_command,   &accept_command,   &mute_command,    &unmute_command,    &snapshots_command,
    &relearn_command,    &replay_command,   &export_command,  &audit_command,     &token_command,
    &node_command,       &status_command,   &watch_command,   &backup_command,    &wipe_command,
    &benchmark_command,  &setup_command,
};

enum { COMMANDS = sizeof(commands) / sizeof(commands[0]) };

static const struct command *find_command(const char *name)
{
    for (size_t i = 0; i < COMMANDS; i++)
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
    return NULL;
}

static void print_usage(FILE *file)
{
    fprintf(file, "usage: habit COMMAND ...\n\n");
    for (size_t i = 0; i < COMMANDS; i++)
        fprintf(file, "  %-12s %s\n", commands[i]->name, commands[i]->summary);
    fprintf(file, "\n  habit help COMMAND    everything about a command\n  habit --version\n\n%s\n", EXIT_CODES_TEXT);
}

static int refuse_command(const char *name)
{
    char text[SHOWN_SIZE];

    complain("'%s' is not a command", shown(name, text));
    print_usage(stderr);
    return EXIT_USAGE;
}

static int print_help(int argc, char **argv)
{
    const struct command *command = argc > 1 ? find_command(argv[1]) : NULL;

    if (argc > 2 || (argc == 2 && !command))
        return refuse_command(argv[argc - 1]);
    if (command)
        options_help(command);
    else
        print_usage(stdout);
    return EXIT_FINE;
}

static int dispatch(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "";
    const struct command *command = find_command(name);

    if (command)
        return command->run(command, argc - 1, argv + 1);
    if (strcmp(name, "help") == 0)
        return print_help(argc - 1, argv + 1);
    if (argc == 2 && (strcmp(name, "-h") == 0 || strcmp(name, "--help") == 0))
        return print_help(1, argv);
    if (argc == 2 && strcmp(name, "--version") == 0)
        return printf("habit %s\n", HABIT_VERSION) < 0;
    if (argc > 1)
        return refuse_command(name);
    print_usage(stderr);
    return EXIT_USAGE;
}

/* A file that we open must not become stdout because the caller had closed it. */
static void fill_standard_files(void)
{
    int file;

    do
        file = open("/dev/null", O_RDWR);
    while (file >= 0 && file <= STDERR_FILENO);
    if (file >= 0)
        close(file);
}

/* A full disk behind stdout shows here at the latest. */
static int close_stdout(int code)
{
    int failed = ferror(stdout);

    if (fclose(stdout) != 0 || failed) {
        complain("cannot write standard output: %s", errno != 0 ? strerror(errno) : "it failed before");
        return code == EXIT_FINE ? EXIT_FAILED : code;
    }
    return code;
}

int main(int argc, char **argv)
{
    fill_standard_files();
    return close_stdout(dispatch(argc, argv));
}
