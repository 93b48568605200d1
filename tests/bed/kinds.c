#include "kinds.h"

/* clang-format off */
static const struct kind *const kinds[] = {
    &kind_gearbox,
    &kind_fan,
    &kind_bearing,
    &kind_turbine,
    &kind_pump,
    &kind_conveyor,
    &kind_cutting,
    &kind_compressor,
    &kind_sound,
    &kind_motor_current,
    &kind_hum,
    &kind_hydraulic,
    &kind_press,
    &kind_spectra,
    &kind_pulses,
    &kind_process,
    &kind_ties,
};
/* clang-format on */

const struct kind *kind_at(unsigned int index)
{
    return index < COUNT(kinds) ? kinds[index] : NULL;
}
