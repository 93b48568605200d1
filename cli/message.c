#include "message.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "options.h"
#include "progress.h"

void complain(const char *format, ...)
{
    va_list arguments;

    fflush(stdout);
    progress_clear_line();
    fputs("habit: ", stderr);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
}

int complain_errno(const char *verb, const char *path)
{
    int error = errno;

    complain("cannot %s %s: %s", verb, path, strerror(error));
    return EXIT_FAILED;
}

const char *shown(const char *text, char out[SHOWN_SIZE])
{
    size_t length = 0;

    for (; text[length] != '\0' && length < SHOWN_SIZE - 4; length++)
        out[length] = text[length] >= ' ' && text[length] <= '~' ? text[length] : '?';
    snprintf(out + length, SHOWN_SIZE - length, "%s", text[length] == '\0' ? "" : "...");
    return out;
}
