/* bed-quality: how well habit, and two simple detectors beside it, see faults of simulated machines. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "campaign.h"
#include "table.h"

/* Development uses seed 1. The figures in docs/ are those of this one, which is used for nothing else. */
enum { FINAL_SEED = 20261 };

static const char usage[] =
    "usage: bed-quality [options]\n"
    "  --machines M      of each kind (200)\n"
    "  --seed S          of everything (20261, kept for the final figures; develop with 1)\n"
    "  --kinds a,b       only these; --list prints all\n"
    "  --learn N,N       buffers learned (20,60,200); tested are those after the 200th, or after the largest N\n"
    "  --profile P       small, default or large\n"
    "  --jobs J          processes (number of cores)\n"
    "  --export DIR      write the machines there too, as sets for bench/score.py\n"
    "  --csv             a line for each machine instead of the table\n";

struct settings {
    struct campaign campaign;
    bool csv;
};

static void refuse(const char *what, const char *value)
{
    fprintf(stderr, "bed-quality: %s: '%s'\n%s", what, value, usage);
    exit(EXIT_FAILURE);
}

static unsigned long long number(const char *what, const char *text, unsigned long long low, unsigned long long high)
{
    char *end;
    unsigned long long value = strtoull(text, &end, 10);

    if (end == text || *end != '\0' || *text == '-' || value < low || value > high)
        refuse(what, text);
    return value;
}

/* ---------------------------------------------------------------------------------------------------------- options */

static void set_machines(struct settings *settings, const char *text)
{
    settings->campaign.machines = (unsigned int)number("--machines", text, 1, 100000);
}

static void set_seed(struct settings *settings, const char *text)
{
    settings->campaign.seed = number("--seed", text, 0, UINT64_MAX);
}

static void set_jobs(struct settings *settings, const char *text)
{
    settings->campaign.jobs = (unsigned int)number("--jobs", text, 1, 1024);
}

static void set_export(struct settings *settings, const char *text)
{
    settings->campaign.export_dir = text;
}

static void set_csv(struct settings *settings, const char *text)
{
    (void)text;
    settings->csv = true;
}

static void set_profile(struct settings *settings, const char *text)
{
    static const char *const names[HABIT_PROFILES] = { "small", "default", "large" };

    for (unsigned int p = 0; p < HABIT_PROFILES; p++)
        if (strcmp(text, names[p]) == 0) {
            settings->campaign.profile = (enum habit_profile)p;
            return;
        }
    refuse("--profile", text);
}

enum { ITEM_SIZE = 32 };

/* Copies the next item of a list with commas; false at its end. */
static bool next_item(const char **list, char item[ITEM_SIZE])
{
    size_t length = strcspn(*list, ",");

    if (length == 0)
        return false;
    snprintf(item, ITEM_SIZE, "%.*s", (int)length, *list);
    *list += length + ((*list)[length] == ',');
    return true;
}

static void set_learn(struct settings *settings, const char *text)
{
    struct campaign *c = &settings->campaign;
    char item[ITEM_SIZE];

    for (c->learns = 0; next_item(&text, item); c->learns++) {
        if (c->learns == CAMPAIGN_LEARNS)
            refuse("--learn: too many", item);
        c->learn[c->learns] = (unsigned int)number("--learn", item, 20, 100000);
    }
    if (c->learns == 0)
        refuse("--learn", text);
}

static const struct kind *kind_named(const char *name)
{
    for (unsigned int i = 0; kind_at(i); i++)
        if (strcmp(kind_at(i)->name, name) == 0)
            return kind_at(i);
    refuse("--kinds", name);
    return NULL;
}

static void set_kinds(struct settings *settings, const char *text)
{
    struct campaign *c = &settings->campaign;
    char item[ITEM_SIZE];

    for (c->kinds = 0; next_item(&text, item); c->kinds++) {
        if (c->kinds == CAMPAIGN_KINDS)
            refuse("--kinds: too many", item);
        c->kind[c->kinds] = kind_named(item);
    }
    if (c->kinds == 0)
        refuse("--kinds", text);
}

static void list_kinds(struct settings *settings, const char *text)
{
    (void)settings;
    (void)text;
    for (unsigned int i = 0; kind_at(i); i++)
        puts(kind_at(i)->name);
    exit(EXIT_SUCCESS);
}

static void help(struct settings *settings, const char *text)
{
    (void)settings;
    (void)text;
    fputs(usage, stdout);
    exit(EXIT_SUCCESS);
}

/* clang-format off */
static const struct {
    struct option option;
    void (*set)(struct settings *, const char *);
} options[] = {
    { { "machines", required_argument, NULL, 0 }, set_machines },
    { { "seed",     required_argument, NULL, 0 }, set_seed },
    { { "kinds",    required_argument, NULL, 0 }, set_kinds },
    { { "learn",    required_argument, NULL, 0 }, set_learn },
    { { "profile",  required_argument, NULL, 0 }, set_profile },
    { { "jobs",     required_argument, NULL, 0 }, set_jobs },
    { { "export",   required_argument, NULL, 0 }, set_export },
    { { "csv",      no_argument,       NULL, 0 }, set_csv },
    { { "list",     no_argument,       NULL, 0 }, list_kinds },
    { { "help",     no_argument,       NULL, 0 }, help },
};
/* clang-format on */

static void read_options(struct settings *settings, int argc, char **argv)
{
    struct option list[COUNT(options) + 1] = { 0 };
    int c, index;

    for (unsigned int i = 0; i < COUNT(options); i++)
        list[i] = options[i].option;
    while ((c = getopt_long(argc, argv, "", list, &index)) != -1) {
        if (c != 0)
            refuse("not an option", argv[optind - 1]);
        options[index].set(settings, optarg);
    }
    if (optind < argc)
        refuse("not an option", argv[optind]);
}

int main(int argc, char **argv)
{
    struct settings settings = { .campaign = { .machines = 200,
                                               .learn = { 20, 60, 200 },
                                               .learns = 3,
                                               .seed = FINAL_SEED,
                                               .profile = HABIT_PROFILE_DEFAULT,
                                               .jobs = (unsigned int)sysconf(_SC_NPROCESSORS_ONLN) } };
    struct campaign *campaign = &settings.campaign;
    struct outcome *outcomes;

    for (; kind_at(campaign->kinds); campaign->kinds++)
        campaign->kind[campaign->kinds] = kind_at(campaign->kinds);
    read_options(&settings, argc, argv);
    outcomes = campaign_run(campaign);
    if (!outcomes)
        return EXIT_FAILURE;
    (settings.csv ? table_print_csv : table_print)(campaign, outcomes);
    campaign_free(campaign, outcomes);
    return EXIT_SUCCESS;
}
