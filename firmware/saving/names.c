#include "habit/save.h"

const char *habit_save_text(int result)
{
    switch (result) {
#define HABIT_SAVE_RESULT_TEXT(name, value, text) \
    case HABIT_SAVE_##name:                       \
        return text;
        HABIT_SAVE_RESULTS(HABIT_SAVE_RESULT_TEXT)
#undef HABIT_SAVE_RESULT_TEXT
    default:
        return habit_text(result);
    }
}
