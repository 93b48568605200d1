#include "kinds.h"

static const struct kind *const kinds[] = {
    &kind_gearbox,  &kind_fan,     &kind_bearing,    &kind_turbine, &kind_pump,
    &kind_conveyor, &kind_cutting, &kind_compressor, &kind_sound,   &kind_motor_current,
};

const struct kind *kind_at(unsigned int index)
{
    return index < COUNT(kinds) ? kinds[index] : NULL;
}
