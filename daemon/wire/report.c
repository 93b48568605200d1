/* Daily reports as JSON and as CSV. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "wire/document.h"
#include "wire/json.h"

/* ------------------------------------------------------------------------------------------------------------- JSON */

static void put_counters(json_t **object, const struct hour *hour)
{
#define PUT_COUNTER(name, help) wire_put(object, #name, json_integer(hour->name));
    HOUR_COUNTERS(PUT_COUNTER)
#undef PUT_COUNTER
    wire_put(object, "similarity_min", hour->similarity_min > 100 ? json_null() : json_integer(hour->similarity_min));
    wire_put(object, "time_in_anomaly_s", wire_figure((double)hour->anomaly_ms / 1000.0));
}

static json_t *build_hour(const struct hour *hour)
{
    json_t *object = json_object();

    wire_put(&object, "from", wire_time(hour->start));
    wire_put(&object, "similarity_mean",
             hour->detected > 0 ? wire_figure(hour->similarity_sum / hour->detected) : json_null());
    put_counters(&object, hour);
    return object;
}

static json_t *build_hours(const struct daily_report *report)
{
    json_t *hours = json_array();

    for (size_t i = 0; i < report->hour_count; i++)
        wire_append(&hours, build_hour(&report->hour[i]));
    return hours;
}

static json_t *build_report(const struct daily_report *report)
{
    json_t *object = json_object();

    wire_put(&object, "date", json_string(report->day.date));
    wire_put(&object, "machine", json_string(report->machine));
    wire_put(&object, "asset", wire_text(report->asset));
    wire_put(&object, "from", wire_time(report->day.from));
    wire_put(&object, "to", wire_time(report->day.to));
    wire_put(&object, "hours", wire_figure(report->hours));
    wire_put(&object, "complete", json_boolean(report->complete));
    wire_put(&object, "anomalies_per_hour", wire_figure(report->anomalies_per_hour));
    wire_put(&object, "similarity_mean", wire_figure(report->similarity_mean));
    put_counters(&object, &report->total);
    wire_put(&object, "by_hour", build_hours(report));
    return object;
}

char *wire_reports(const struct daily_report *reports, size_t count, const char *next)
{
    json_t *page = json_object(), *array = json_array();

    for (size_t i = 0; i < count; i++)
        wire_append(&array, build_report(&reports[i]));
    wire_put(&page, "reports", array);
    wire_put(&page, "next", wire_text(next));
    return wire_dump(page);
}

/* -------------------------------------------------------------------------------------------------------------- CSV */

static void put_quoted(FILE *file, const char *text)
{
    fputc('"', file);
    for (; *text != '\0'; text++) {
        if (*text == '"')
            fputc('"', file);
        fputc(*text, file);
    }
    fputc('"', file);
}

static void put_header(FILE *file)
{
    fputs("date,machine,asset,from,to,hours,complete", file);
#define COUNTER_NAME(name, help) fputs("," #name, file);
    HOUR_COUNTERS(COUNTER_NAME)
#undef COUNTER_NAME
    fputs(",anomalies_per_hour,similarity_mean,similarity_min,time_in_anomaly_s\r\n", file);
}

/* A figure that is not known is an empty cell. */
static void put_figure(FILE *file, double number)
{
    fputc(',', file);
    if (isfinite(number))
        fprintf(file, "%.6g", number);
}

static void put_report(FILE *file, const struct daily_report *report)
{
    const struct hour *total = &report->total;
    char from[CLOCK_TEXT_SIZE], to[CLOCK_TEXT_SIZE];

    fprintf(file, "%s,%s,", report->day.date, report->machine);
    put_quoted(file, report->asset);
    fprintf(file, ",%s,%s", clock_text(report->day.from, from), clock_text(report->day.to, to));
    put_figure(file, report->hours);
    fputs(report->complete ? ",yes" : ",no", file);
#define COUNTER_CELL(name, help) fprintf(file, ",%u", total->name);
    HOUR_COUNTERS(COUNTER_CELL)
#undef COUNTER_CELL
    put_figure(file, report->anomalies_per_hour);
    put_figure(file, report->similarity_mean);
    put_figure(file, total->similarity_min > 100 ? (double)NAN : total->similarity_min);
    put_figure(file, (double)total->anomaly_ms / 1000.0);
    fputs("\r\n", file);
}

char *wire_reports_csv(const struct daily_report *reports, size_t count)
{
    char *text = NULL;
    size_t size;
    FILE *file = open_memstream(&text, &size);

    if (!file)
        return NULL;
    put_header(file);
    for (size_t i = 0; i < count; i++)
        put_report(file, &reports[i]);
    if (fclose(file) == 0)
        return text;
    free(text);
    return NULL;
}
