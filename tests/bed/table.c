#include "table.h"

#include <stdio.h>

static void add(struct figures *sum, const struct figures *figures, double weight)
{
    sum->auc += weight * figures->auc;
    sum->balanced += weight * figures->balanced;
    sum->false_alarms += weight * figures->false_alarms;
    sum->detection += weight * figures->detection;
}

static struct figures mean_of(const struct campaign *campaign, const struct outcome *outcomes, unsigned int detector,
                              unsigned int learn)
{
    struct figures mean = { 0 };

    for (unsigned int m = 0; m < campaign->machines; m++)
        add(&mean, &outcomes[m].figures[detector][learn], 1.0 / campaign->machines);
    return mean;
}

static void print_row(const char *name, const struct figures *figures)
{
    printf("%-15s", name);
    for (unsigned int d = 0; d < DETECTORS; d++)
        printf("  | %.3f %.3f %.3f %.3f", figures[d].auc, figures[d].balanced, figures[d].false_alarms,
               figures[d].detection);
    putchar('\n');
}

static void print_head(unsigned int learned)
{
    char title[24];

    snprintf(title, sizeof(title), "%u learned", learned);
    printf("\n%-15s", title);
    for (unsigned int d = 0; d < DETECTORS; d++)
        printf("  | %-23s", detectors[d].name);
    printf("\n%-15s", "");
    for (unsigned int d = 0; d < DETECTORS; d++)
        printf("  | %-5s %-5s %-5s %-5s", "AUC", "BA", "FA", "DR");
    putchar('\n');
}

static void print_block(const struct campaign *campaign, const struct outcome *outcomes, unsigned int learn)
{
    struct figures all[DETECTORS] = { 0 };

    print_head(campaign->learn[learn]);
    for (unsigned int k = 0; k < campaign->kinds; k++) {
        struct figures of_kind[DETECTORS];

        for (unsigned int d = 0; d < DETECTORS; d++) {
            of_kind[d] = mean_of(campaign, outcomes + (size_t)k * campaign->machines, d, learn);
            add(&all[d], &of_kind[d], 1.0 / campaign->kinds);
        }
        print_row(campaign->kind[k]->name, of_kind);
    }
    print_row("mean", all);
}

static void print_redrawn(const struct campaign *campaign, const struct outcome *outcomes)
{
    printf("\nredrawn because no severity gave the target:");
    for (unsigned int k = 0; k < campaign->kinds; k++) {
        unsigned int redrawn = 0;

        for (unsigned int m = 0; m < campaign->machines; m++)
            redrawn += outcomes[k * campaign->machines + m].redrawn;
        printf("%s %s %u", k > 0 ? "," : "", campaign->kind[k]->name, redrawn);
    }
    putchar('\n');
}

void table_print(const struct campaign *campaign, const struct outcome *outcomes)
{
    printf("%u machines of each of %u kinds, seed %llu\n", campaign->machines, campaign->kinds,
           (unsigned long long)campaign->seed);
    for (unsigned int l = 0; l < campaign->learns; l++)
        print_block(campaign, outcomes, l);
    print_redrawn(campaign, outcomes);
}

static void print_csv_machine(const struct campaign *campaign, const struct outcome *o, const char *kind,
                              unsigned int machine)
{
    for (unsigned int l = 0; l < campaign->learns; l++)
        for (unsigned int d = 0; d < DETECTORS; d++) {
            const struct figures *f = &o->figures[d][l];

            printf("%s,%u,%s,%u,%u,%.1f,%u,%.4f,%.4f,%.6g,%u,%s,%.4f,%.4f,%.4f,%.4f\n", kind, machine, o->fault,
                   o->buffer_size, o->axes, o->sampling_hz, o->redrawn, o->grade.target, o->grade.reached,
                   o->grade.severity, campaign->learn[l], detectors[d].name, f->auc, f->balanced, f->false_alarms,
                   f->detection);
        }
}

void table_print_csv(const struct campaign *campaign, const struct outcome *outcomes)
{
    puts("kind,machine,fault,buffer_size,axes,sampling_hz,redrawn,target,reached,severity,learned,detector,"
         "auc,balanced,false_alarms,detection");
    for (unsigned int i = 0; i < campaign->kinds * campaign->machines; i++)
        print_csv_machine(campaign, &outcomes[i], campaign->kind[i / campaign->machines]->name, i % campaign->machines);
}
