#define SD_JOURNAL_SUPPRESS_LOCATION
#include "base/log.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

#include "base/clock.h"

enum { TEXT_SIZE = 512, FIELD_SIZE = TEXT_SIZE + 16 };

static enum log_level threshold = LOG_INFO;
static const int priorities[] = { 3, 4, 5, 6, 7 }; /* syslog's */

void log_set_level(enum log_level level)
{
    threshold = level;
}

/* ------------------------------------------------------------------------------------------------------- the journal */

/* stderr is the journal when it is the very stream that systemd has named; a pipe behind it inherits the variable only. */
static bool is_journal(void)
{
    const char *stream = getenv("JOURNAL_STREAM");
    char own[48];
    struct stat status;

    if (!stream || fstat(STDERR_FILENO, &status) != 0)
        return false;
    snprintf(own, sizeof(own), "%llu:%llu", (unsigned long long)status.st_dev, (unsigned long long)status.st_ino);
    return strcmp(stream, own) == 0;
}

struct entry {
    struct iovec parts[8];
    char room[8][FIELD_SIZE];
    int count;
};

static void __attribute__((format(printf, 2, 3))) add(struct entry *entry, const char *format, ...)
{
    va_list arguments;
    int length;

    va_start(arguments, format);
    length = vsnprintf(entry->room[entry->count], FIELD_SIZE, format, arguments);
    va_end(arguments);
    if (length <= 0)
        return;
    entry->parts[entry->count].iov_base = entry->room[entry->count];
    entry->parts[entry->count].iov_len = length < FIELD_SIZE ? (size_t)length : FIELD_SIZE - 1;
    entry->count++;
}

static void add_fields(struct entry *entry, const struct log_fields *fields)
{
    static const char *const ids[] = { NULL,
#define LOG_ID(name, id, meaning) (id),
                                       LOG_MESSAGES(LOG_ID)
#undef LOG_ID
    };

    if (fields->message != MESSAGE_NONE)
        add(entry, "MESSAGE_ID=%s", ids[fields->message]);
    if (fields->machine && fields->machine[0] != '\0')
        add(entry, "MACHINE=%s", fields->machine);
    if (fields->reason && fields->reason[0] != '\0')
        add(entry, "REASON=%s", fields->reason);
    if (fields->anomaly != 0)
        add(entry, "ANOMALY=%" PRId64, fields->anomaly);
}

/* False where nobody takes it. */
static bool send_to_journal(enum log_level level, const struct log_fields *fields, const char *text)
{
    struct entry entry = { .count = 0 };

    add(&entry, "MESSAGE=%s", text);
    add(&entry, "PRIORITY=%d", priorities[level]);
    add(&entry, "SYSLOG_IDENTIFIER=habitd");
    if (fields)
        add_fields(&entry, fields);
    return sd_journal_sendv(entry.parts, entry.count) == 0;
}

/* ------------------------------------------------------------------------------------------------------------- lines */

static void write_line(enum log_level level, const struct log_fields *fields, const char *format, va_list arguments)
{
    static const char *const names[] = { "error", "warning", "notice", "info", "debug" };
    char text[TEXT_SIZE], when[CLOCK_TEXT_SIZE];
    bool journal;

    if (level > threshold)
        return;
    vsnprintf(text, sizeof(text), format, arguments);
    journal = is_journal();
    if (journal && send_to_journal(level, fields, text))
        return;
    if (journal || getenv("JOURNAL_STREAM")) /* the stream understands a priority, and nothing else */
        fprintf(stderr, "<%d>%s\n", priorities[level], text);
    else
        fprintf(stderr, "%s %s: %s\n", clock_text(clock_now().wall, when), names[level], text);
}

void log_line(enum log_level level, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    write_line(level, NULL, format, arguments);
    va_end(arguments);
}

void log_with(enum log_level level, const struct log_fields *fields, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    write_line(level, fields, format, arguments);
    va_end(arguments);
}

int log_gate_pass(struct log_gate *gate, int64_t mono, uint64_t *suppressed)
{
    if (mono < gate->open_at) {
        gate->suppressed++;
        return 0;
    }
    *suppressed = gate->suppressed;
    gate->suppressed = 0;
    gate->open_at = mono + 60000;
    return 1;
}
