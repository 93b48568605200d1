/* Prints what came out of a campaign. */
#ifndef HABIT_BED_TABLE_H
#define HABIT_BED_TABLE_H

#include "campaign.h"

/* Kinds and their mean, a block for each number of learned buffers. */
void table_print(const struct campaign *campaign, const struct outcome *outcomes);
/* A line for each machine, detector and number of learned buffers. */
void table_print_csv(const struct campaign *campaign, const struct outcome *outcomes);

#endif
