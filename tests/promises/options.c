#include "options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct option names[] = {
    { "machines", required_argument, NULL, 'm' },
    { "seed", required_argument, NULL, 's' },
    { "sets", required_argument, NULL, 'd' },
    { "only", required_argument, NULL, 'o' },
    { "quick", no_argument, NULL, 'q' },
    { "help", no_argument, NULL, 'h' },
    { NULL, 0, NULL, 0 },
};

static void help(const struct options *options, const char *program)
{
    printf("usage: %s [--machines N] [--seed N] [--quick] [--only PART] [--sets FOLDER]\n\n%s\n\n"
           "  --machines N   machines in each cell of the table (%u)\n"
           "  --seed N       of all that is random (%d; up to %d for development)\n"
           "  --quick        few machines; counts as missed only what they prove: their 95 %% interval excludes the "
           "bound\n"
           "  --only PART    one part of the table\n"
           "  --sets FOLDER  recordings, where they are used\n\n"
           "Exits with 1 when a required figure is missed.\n",
           program, options->about, options->machines, (int)SEED_FINAL, (int)SEED_DEVELOPMENT);
}

static uint64_t number(const char *text)
{
    char *end;
    const uint64_t value = strtoull(text, &end, 10);

    if (*text == '\0' || *end != '\0' || value == 0) {
        (void)fprintf(stderr, "not a number above 0: %s\n", text);
        exit(2);
    }
    return value;
}

void options_read(struct options *options, unsigned int quick, int argc, char **argv)
{
    uint64_t machines = 0;
    int option;

    options->seed = SEED_FINAL;
    while ((option = getopt_long(argc, argv, "", names, NULL)) != -1) {
        switch (option) {
        case 'm':
            machines = number(optarg);
            break;
        case 's':
            options->seed = number(optarg);
            break;
        case 'd':
            options->sets = optarg;
            break;
        case 'o':
            options->only = optarg;
            break;
        case 'q':
            options->quick = true;
            break;
        case 'h':
            help(options, argv[0]);
            exit(0);
        default:
            exit(2);
        }
    }
    if (machines > 0)
        options->machines = (unsigned int)machines;
    else if (options->quick)
        options->machines = quick;
    printf("seed %llu, %u machines in each cell\n\n", (unsigned long long)options->seed, options->machines);
}

bool options_want(const struct options *options, const char *part)
{
    return !options->only || strcmp(options->only, part) == 0;
}
