#include "kinds.h"

static const struct kind *const kinds[] = {
    &kind_gearbox,
    &kind_fan,
    &kind_bearing,
    &kind_motor_current,
};

enum { KINDS = sizeof(kinds) / sizeof(kinds[0]) };

const struct kind *kind_at(unsigned int index)
{
    return index < KINDS ? kinds[index] : NULL;
}
