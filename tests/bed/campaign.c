#include "campaign.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "export.h"

enum { MOST_REDRAWN = 1000 };

/* What the processes share. */
struct board {
    atomic_uint next; /* the first machine that nobody has taken */
    struct outcome outcome[];
};

static size_t board_size(const struct campaign *campaign)
{
    return sizeof(struct board) + (size_t)campaign->kinds * campaign->machines * sizeof(struct outcome);
}

/* ----------------------------------------------------------------------------------------------------- one machine */

/* Of the kind's name, not its place: kinds may come and go without changing the machines of the others. FNV-1a. */
static uint64_t seed_of(uint64_t seed, const char *name, unsigned int machine)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    struct chance chance;

    for (; *name; name++)
        hash = (hash ^ (unsigned char)*name) * UINT64_C(0x100000001b3);
    chance.state = seed;
    chance.state = chance_bits(&chance) ^ hash;
    chance.state = chance_bits(&chance) ^ machine;
    return chance_bits(&chance);
}

static unsigned int learnable_of(const struct campaign *campaign)
{
    unsigned int most = BED_LEARNED;

    for (unsigned int l = 0; l < campaign->learns; l++)
        most = campaign->learn[l] > most ? campaign->learn[l] : most;
    return most;
}

/* Draws machines of the kind until there is one whose fault can be graded. */
static struct trial *graded_trial(const struct campaign *campaign, const struct kind *kind, unsigned int index,
                                  struct outcome *outcome)
{
    struct chance chance = { seed_of(campaign->seed, kind->name, index) };

    for (; outcome->redrawn < MOST_REDRAWN; outcome->redrawn++) {
        double target = chance_between(&chance, grading_lowest, grading_highest);
        struct trial *trial = trial_new(machine_new(kind, chance_bits(&chance)), learnable_of(campaign));

        if (grading_find(trial, target, &outcome->grade))
            return trial;
        trial_free(trial);
    }
    fprintf(stderr, "bed: %s: no machine of %d could be graded\n", kind->name, MOST_REDRAWN);
    exit(EXIT_FAILURE);
}

static void export_or_end(const struct trial *trial, const char *dir, unsigned int index)
{
    int r = export_trial(trial, dir, index);

    if (r == 0)
        return;
    fprintf(stderr, "bed: %s: %s\n", dir, strerror(-r));
    exit(EXIT_FAILURE);
}

static void run_machine(const struct campaign *campaign, const struct kind *kind, unsigned int index,
                        struct outcome *outcome)
{
    struct trial *trial = graded_trial(campaign, kind, index, outcome);
    const struct machine *machine = trial->machine;
    struct verdicts verdicts;

    snprintf(outcome->fault, sizeof(outcome->fault), "%s", machine->fault);
    outcome->buffer_size = machine->buffer_size;
    outcome->axes = machine->axes;
    outcome->sampling_hz = machine->sampling_hz;
    for (unsigned int d = 0; d < DETECTORS; d++)
        for (unsigned int l = 0; l < campaign->learns; l++) {
            detectors[d].judge(trial, campaign->learn[l], campaign->profile, &verdicts);
            outcome->figures[d][l] = figures_of(&verdicts);
        }
    if (campaign->export_dir)
        export_or_end(trial, campaign->export_dir, index);
    outcome->done = true;
    trial_free(trial);
}

/* ------------------------------------------------------------------------------------------------------- processes */

static void work(const struct campaign *campaign, struct board *board)
{
    unsigned int all = campaign->kinds * campaign->machines, taken;

    while ((taken = atomic_fetch_add(&board->next, 1)) < all)
        run_machine(campaign, campaign->kind[taken / campaign->machines], taken % campaign->machines,
                    &board->outcome[taken]);
}

static bool start_processes(const struct campaign *campaign, struct board *board)
{
    for (unsigned int job = 0; job < campaign->jobs; job++) {
        pid_t pid = fork();

        if (pid < 0) {
            perror("bed: fork");
            return false;
        }
        if (pid == 0) {
            work(campaign, board);
            exit(EXIT_SUCCESS);
        }
    }
    return true;
}

static bool await_processes(void)
{
    bool well = true;
    int status;

    while (wait(&status) > 0)
        well = well && WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS;
    return well;
}

struct outcome *campaign_run(const struct campaign *campaign)
{
    struct board *board = mmap(NULL, board_size(campaign), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    bool started;

    if (board == MAP_FAILED) {
        perror("bed: mmap");
        return NULL;
    }
    started = start_processes(campaign, board);
    if (await_processes() && started)
        return board->outcome;
    fputs("bed: a process failed\n", stderr);
    munmap(board, board_size(campaign));
    return NULL;
}

void campaign_free(const struct campaign *campaign, struct outcome *outcomes)
{
    if (outcomes)
        munmap((char *)outcomes - offsetof(struct board, outcome), board_size(campaign));
}
