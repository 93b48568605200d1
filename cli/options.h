/* Options of a command, read by one table: the same rows parse them, check them and print their help. */
#ifndef HABIT_CLI_OPTIONS_H
#define HABIT_CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

/* What `habit` tells the shell. */
enum { EXIT_FINE, EXIT_FAILED, EXIT_USAGE, EXIT_DATA };
#define EXIT_CODES_TEXT \
    "exit codes: 0 fine; 1 the system failed or the daemon refused; 2 wrong usage; 3 wrong data, with file and place"

/* The member of the command's settings that a row fills:
 *
 * FLAG      bool
 * TEXT      const char *, a word of argv
 * UNSIGNED  uint64_t, low .. high
 * NUMBER    double, low .. high
 * CHOICE    unsigned int, index of the word in row.value, "f32|i16|csv"
 * LIST      struct words; may be repeated; where a command has no operands, plain words after it join it
 * OPERANDS  struct words; low .. high of them; its row has the name "" */
enum option_type {
    OPTION_END,
    OPTION_FLAG,
    OPTION_TEXT,
    OPTION_UNSIGNED,
    OPTION_NUMBER,
    OPTION_CHOICE,
    OPTION_LIST,
    OPTION_OPERANDS
};

struct option_row {
    enum option_type type;
    bool required;
    const char *name;  /* without its dashes */
    size_t offset;     /* of the member */
    const char *value; /* as help calls it: "N", "FILE"; choices in full */
    double low, high;
    const char *help;
};

enum { WORDS_MAX = 4096 };
struct words {
    size_t count;
    const char *word[WORDS_MAX];
};

struct command {
    const char *name;
    const char *synopsis;                                             /* what follows the name in the usage line */
    const char *summary;                                              /* one line for the list of commands */
    const char *details;                                              /* further lines for its help; NULL = none */
    const struct option_row *options;                                 /* ends with OPTION_END */
    int (*run)(const struct command *command, int argc, char **argv); /* returns an exit code */
};

/* Fills settings, which hold the defaults, from argv[1 ..]. Returns true to go on; else *code is what to exit with, and all
 * has been said: help on stdout, or what is wrong on stderr. */
bool options_read(const struct command *command, void *settings, int argc, char **argv, int *code);

/* What no single option shows, said in the same way: "habit NAME: ..." and the usage line. Returns EXIT_USAGE. */
int options_refuse(const struct command *command, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Prints everything there is to say about a command on stdout. */
void options_help(const struct command *command);

#endif
