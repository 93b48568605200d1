/* Faults whose axis and frequency are known: each turns the recipe of a healthy machine into that of a faulty one. */
#ifndef PROMISES_FAULT_H
#define PROMISES_FAULT_H

#include "machine.h"

enum fault_kind {
    FAULT_TONE,   /* a tone more, on one axis */
    FAULT_GAIN,   /* everything on one axis louder */
    FAULT_LEVEL,  /* the mean of one axis elsewhere */
    FAULT_SHOCKS, /* shocks on one axis */
    FAULT_LOSS,   /* the strongest tone of an axis weaker */
    FAULTS
};

struct fault {
    enum fault_kind kind;
    unsigned int axis;
    double frequency; /* tone, ringing of the shocks, tone that is lost: cycles a sample */
    double size;      /* 0 = healthy; 1 = as large as the signal on that axis; grows without end */
};

const char *fault_name(enum fault_kind kind);

/* A fault of size 1 that this machine can have, on any axis and at any frequency. False where it cannot. */
bool fault_draw(struct fault *fault, enum fault_kind kind, const struct signal *healthy, struct chance *chance);

/* The machine with the fault. It goes on with the same chance as the healthy one. */
struct signal fault_apply(const struct fault *fault, const struct signal *healthy);

/* Gives the fault the size at which `target` of the buffers are called strange. Returns the share that is reached;
 * far from the target where no size reaches it. */
double fault_grade(struct fault *fault, struct machine *machine, const struct signal *healthy, double target);

#endif
