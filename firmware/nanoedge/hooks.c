/* Hooks that a program replaces by functions of its own of the same name. */
#include "habit/neai.h"

__attribute__((weak)) bool habit_neai_authorised(void)
{
    return true;
}

__attribute__((weak)) const void *habit_neai_pretrained(void)
{
    return NULL;
}
