#include "options.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

enum { OPTIONS_MAX = 40 }; /* rows of a command; `seen` has a bit for each */

struct parse {
    const struct command *command;
    char *settings;
    uint64_t seen;                 /* bit i: row i was given */
    const struct option_row *list; /* takes the plain words now; NULL = none does */
    bool help;
};

static void *member(const struct parse *parse, const struct option_row *row)
{
    return parse->settings + row->offset;
}

static const struct option_row *find_operands(const struct command *command)
{
    for (const struct option_row *row = command->options; row->type != OPTION_END; row++)
        if (row->type == OPTION_OPERANDS)
            return row;
    return NULL;
}

/* ------------------------------------------------------------------------------------------------------- complaints */

int options_refuse(const struct command *command, const char *format, ...)
{
    va_list arguments;

    fflush(stdout);
    fprintf(stderr, "habit %s: ", command->name);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fprintf(stderr, "\nusage: habit %s %s\n", command->name, command->synopsis);
    return EXIT_USAGE;
}

static bool refuse_value(const struct parse *parse, const struct option_row *row, const char *text, const char *wanted)
{
    options_refuse(parse->command, "--%s: '%s' is not %s", row->name, text, wanted);
    return false;
}

static bool refuse_range(const struct parse *parse, const struct option_row *row, const char *text, const char *kind)
{
    char wanted[96];

    snprintf(wanted, sizeof(wanted), "%s from %.10g to %.10g", kind, row->low, row->high);
    return refuse_value(parse, row, text, wanted);
}

/* ----------------------------------------------------------------------------------------------------------- values */

static bool read_flag(const struct parse *parse, const struct option_row *row, const char *text)
{
    (void)text;
    *(bool *)member(parse, row) = true;
    return true;
}

static bool read_text(const struct parse *parse, const struct option_row *row, const char *text)
{
    if (text[0] == '\0')
        return refuse_value(parse, row, text, "a value: it is empty");
    *(const char **)member(parse, row) = text;
    return true;
}

static bool read_unsigned(const struct parse *parse, const struct option_row *row, const char *text)
{
    uint64_t number;

    if (!text_to_unsigned(text, UINT64_MAX, &number) || (double)number < row->low || (double)number > row->high)
        return refuse_range(parse, row, text, "a whole number");
    *(uint64_t *)member(parse, row) = number;
    return true;
}

static bool read_number(const struct parse *parse, const struct option_row *row, const char *text)
{
    double number;

    if (!text_to_number(text, &number) || number < row->low || number > row->high)
        return refuse_range(parse, row, text, "a number");
    *(double *)member(parse, row) = number;
    return true;
}

static bool read_choice(const struct parse *parse, const struct option_row *row, const char *text)
{
    size_t length = strlen(text);
    unsigned int index = 0;

    for (const char *choice = row->value; choice; index++) {
        const char *end = strchrnul(choice, '|');

        if ((size_t)(end - choice) == length && memcmp(choice, text, length) == 0) {
            *(unsigned int *)member(parse, row) = index;
            return true;
        }
        choice = *end == '|' ? end + 1 : NULL;
    }
    return refuse_value(parse, row, text, row->value);
}

static bool read_word(const struct parse *parse, const struct option_row *row, const char *text)
{
    struct words *words = member(parse, row);

    if (words->count == WORDS_MAX) {
        options_refuse(parse->command, "more than %d of %s", WORDS_MAX, row->value);
        return false;
    }
    words->word[words->count++] = text;
    return true;
}

static bool (*const readers[])(const struct parse *parse, const struct option_row *row, const char *text) = {
    [OPTION_FLAG] = read_flag,     [OPTION_TEXT] = read_text,     [OPTION_UNSIGNED] = read_unsigned,
    [OPTION_NUMBER] = read_number, [OPTION_CHOICE] = read_choice, [OPTION_LIST] = read_word,
    [OPTION_OPERANDS] = read_word,
};

/* ------------------------------------------------------------------------------------------------------------ words */

/* Whether a word names the row in full. getopt_long takes any beginning too: a script that relies on one breaks with the
 * next option we add. */
static bool names_row(const char *word, const struct option_row *row)
{
    size_t length = strlen(row->name);

    return strncmp(word, "--", 2) == 0 && strncmp(word + 2, row->name, length) == 0 &&
           (word[2 + length] == '\0' || word[2 + length] == '=');
}

static bool take_option(struct parse *parse, const struct option_row *row, const char *word, const char *value)
{
    uint64_t bit = UINT64_C(1) << (row - parse->command->options);
    bool separate = value && !strchr(word, '=');

    if (!names_row(word, row)) {
        options_refuse(parse->command, "%s: write --%s in full", word, row->name);
        return false;
    }
    if (separate && strncmp(value, "--", 2) == 0) { /* the value was forgotten: never shift the rest */
        options_refuse(parse->command, "--%s needs a value (%s)", row->name, row->value);
        return false;
    }
    if ((parse->seen & bit) && row->type != OPTION_LIST) {
        options_refuse(parse->command, "--%s is given twice", row->name);
        return false;
    }
    parse->seen |= bit;
    parse->list = row->type == OPTION_LIST ? row : NULL;
    return readers[row->type](parse, row, value);
}

static bool take_plain(struct parse *parse, const char *word)
{
    const struct option_row *operands = find_operands(parse->command);
    const struct option_row *row = operands ? operands : parse->list;

    if (row)
        return read_word(parse, row, word);
    options_refuse(parse->command, "'%s' is not expected here", word);
    return false;
}

static bool take(struct parse *parse, int letter, int index, const char *word)
{
    switch (letter) {
    case 1:
        return take_plain(parse, optarg);
    case 'h':
        parse->help = true;
        return true;
    case 0:
        return take_option(parse, &parse->command->options[index], word, optarg);
    case ':':
        options_refuse(parse->command, "%s needs a value", word);
        return false;
    default:
        options_refuse(parse->command, "%s is not an option of this command, or takes no value", word);
        return false;
    }
}

static void fill_longs(const struct command *command, struct option *longs)
{
    const struct option_row *row = command->options;

    for (; row->type != OPTION_END; row++, longs++) {
        longs->name = row->type == OPTION_OPERANDS ? "\1" : row->name; /* a name that nobody types */
        longs->has_arg = row->type == OPTION_FLAG ? no_argument : required_argument;
        longs->flag = NULL;
        longs->val = 0;
    }
    longs[0] = (struct option){ "help", no_argument, NULL, 'h' };
    longs[1] = (struct option){ NULL, 0, NULL, 0 };
}

/* "-": plain words come in their order, so that those after a list join it. ":": a missing value has its own letter. */
static bool take_all(struct parse *parse, int argc, char **argv)
{
    struct option longs[OPTIONS_MAX + 2];

    fill_longs(parse->command, longs);
    opterr = 0;
    optind = 0; /* starts anew, the leading "-" included */
    for (;;) {
        const char *word = argv[optind > 0 ? optind : 1];
        int index = 0;
        int letter = getopt_long(argc, argv, "-:h", longs, &index);

        if (letter == -1)
            break;
        if (!take(parse, letter, index, word))
            return false;
        if (parse->help)
            return true;
    }
    for (; optind < argc; optind++) /* after "--" */
        if (!take_plain(parse, argv[optind]))
            return false;
    return true;
}

static bool all_there(const struct parse *parse)
{
    const struct option_row *row = parse->command->options;

    for (int i = 0; row[i].type != OPTION_END; i++) {
        const struct words *words = member(parse, &row[i]);

        if (row[i].type != OPTION_OPERANDS && row[i].required && !((parse->seen >> i) & 1)) {
            options_refuse(parse->command, "--%s %s is missing", row[i].name, row[i].value);
            return false;
        }
        if (row[i].type == OPTION_OPERANDS &&
            ((double)words->count < row[i].low || (double)words->count > row[i].high)) {
            options_refuse(parse->command, "%s of %s", words->count == 0 ? "none" : "too many", row[i].value);
            return false;
        }
    }
    return true;
}

bool options_read(const struct command *command, void *settings, int argc, char **argv, int *code)
{
    struct parse parse = { .command = command, .settings = settings };

    *code = EXIT_USAGE;
    if (!take_all(&parse, argc, argv))
        return false;
    if (parse.help) {
        options_help(command);
        *code = EXIT_FINE;
        return false;
    }
    return all_there(&parse);
}

/* ------------------------------------------------------------------------------------------------------------- help */

static void help_row(const struct option_row *row)
{
    char left[96];

    snprintf(left, sizeof(left), "%s%s %s", row->type == OPTION_OPERANDS ? "" : "--", row->name,
             row->type == OPTION_FLAG ? "" : row->value);
    if (strlen(left) > 26)
        printf("  %s\n  %-26s %s\n", left, "", row->help);
    else
        printf("  %-26s %s%s\n", left, row->help, row->required ? " (required)" : "");
}

void options_help(const struct command *command)
{
    printf("usage: habit %s %s\n\n%s\n", command->name, command->synopsis, command->summary);
    if (command->details)
        printf("\n%s\n", command->details);
    printf("\n");
    for (const struct option_row *row = command->options; row->type != OPTION_END; row++)
        help_row(row);
    printf("  %-26s %s\n\n%s\n", "-h, --help", "this page", EXIT_CODES_TEXT);
}
