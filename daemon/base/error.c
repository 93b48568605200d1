#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static _Thread_local char place[64];

static const struct refusal_kind kinds[REFUSAL_CODES] = { [REFUSAL_NONE] = { 200, "none", "fine" },
#define REFUSAL_ROW(name, status, type, title) [REFUSAL_##name] = { status, type, title },
                                                          REFUSALS(REFUSAL_ROW)
#undef REFUSAL_ROW
};

int fault_at(int r, const char *file, int line)
{
    const char *daemon = strstr(file, "daemon/");

    if (r < 0)
        snprintf(place, sizeof(place), "%s:%d", daemon ? daemon + strlen("daemon/") : file, line);
    return r;
}

const char *fault_place(void)
{
    return place;
}

const struct refusal_kind *refusal_kind(enum refusal_code code)
{
    return &kinds[code];
}

static void fill(struct refusal *refusal, enum refusal_code code, const char *field, int64_t limit, const char *format,
                 va_list arguments)
{
    if (!refusal)
        return;
    refusal->code = code;
    refusal->limit = limit;
    snprintf(refusal->field, sizeof(refusal->field), "%s", field ? field : "");
    vsnprintf(refusal->detail, sizeof(refusal->detail), format, arguments);
}

int refuse(struct refusal *refusal, enum refusal_code code, const char *field, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    fill(refusal, code, field, -1, format, arguments);
    va_end(arguments);
    return (int)code;
}

int refuse_limit(struct refusal *refusal, enum refusal_code code, const char *field, int64_t limit, const char *format,
                 ...)
{
    va_list arguments;

    va_start(arguments, format);
    fill(refusal, code, field, limit, format, arguments);
    va_end(arguments);
    return (int)code;
}

int refuse_fault(struct refusal *refusal, int r)
{
    if (r == -EUCLEAN)
        return refuse(refusal, REFUSAL_DAMAGED, "",
                      "the database is damaged where this is stored: start habitd anew, which checks it, and restore a "
                      "backup");
    return refuse(refusal, REFUSAL_BROKEN, "", "%s, noted at %s; the log of habitd says more", strerror(-r), place);
}
