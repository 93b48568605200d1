/* The words of the record's enumerations, as JSON and logs show them. */
#include "record/anomaly.h"
#include "record/machine.h"
#include "record/mute.h"
#include "record/verdict.h"

const char *phase_name(enum phase phase)
{
    static const char *const names[PHASES] = { "new", "learning", "watching", "paused" };

    return names[phase];
}

const char *verdict_name(enum verdict_status status)
{
    static const char *const names[VERDICTS] = { "ok", "learned", "not_ready", "idle", "duplicate" };

    return names[status];
}

const char *anomaly_event_name(enum anomaly_event event)
{
    static const char *const names[] = { "none", "raised", "worsened", "cleared", "accepted" };

    return names[event];
}

const char *mute_end_name(enum mute_end end)
{
    static const char *const names[] = {
#define MUTE_WORD(name, word, meaning) (word),
        MUTE_ENDS(MUTE_WORD)
#undef MUTE_WORD
    };

    return names[end];
}

const char *trouble_name(enum trouble trouble)
{
    static const char *const names[] = {
#define TROUBLE_WORD(name, word, meaning) (word),
        TROUBLES(TROUBLE_WORD)
#undef TROUBLE_WORD
    };

    return names[trouble];
}

const char *trouble_meaning(enum trouble trouble)
{
    static const char *const meanings[] = {
#define TROUBLE_MEANING(name, word, meaning) (meaning),
        TROUBLES(TROUBLE_MEANING)
#undef TROUBLE_MEANING
    };

    return meanings[trouble];
}
