/* Daily reports as JSON and as CSV. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "wire/cell.h"
#include "wire/document.h"
#include "wire/json.h"
#include "wire/parse.h"

/* ------------------------------------------------------------------------------------------------------------- JSON */

static json_t *build_seconds(uint64_t milliseconds)
{
    return wire_figure((double)milliseconds / 1000.0);
}

/* Mean over the buffers judged. */
static json_t *build_mean(const struct hour *hour, double sum)
{
    return hour->detected > 0 ? wire_figure(sum / hour->detected) : json_null();
}

void wire_put_hour(json_t **object, const struct hour *hour)
{
    double log_mean = hour->detected > 0 ? hour->log_distance_sum / hour->detected : (double)NAN;

#define PUT_COUNTER(name, help) wire_put(object, #name, json_integer(hour->name));
    HOUR_COUNTERS(PUT_COUNTER)
#undef PUT_COUNTER
    wire_put(object, "similarity_mean", build_mean(hour, hour->similarity_sum));
    wire_put(object, "similarity_min", hour->similarity_min > 100 ? json_null() : json_integer(hour->similarity_min));
    wire_put(object, "distance_mean", wire_figure(exp(log_mean)));
    wire_put(object, "level_mean", build_mean(hour, hour->level_sum));
    wire_put(object, "amplitude_mean", build_mean(hour, hour->amplitude_sum));
    wire_put(object, "time_in_anomaly_s", build_seconds(hour->anomaly_ms));
    wire_put(object, "running_s", build_seconds(hour->running_ms));
    wire_put(object, "silent_s", build_seconds(hour->silent_ms));
}

static json_t *build_hour(const struct hour *hour)
{
    json_t *object = json_object();

    wire_put(&object, "from", wire_time(hour->start));
    wire_put_hour(&object, hour);
    return object;
}

static json_t *build_hours(const struct daily_report *report)
{
    json_t *hours = json_array();

    for (size_t i = 0; i < report->hour_count; i++)
        wire_append(&hours, build_hour(&report->hour[i]));
    return hours;
}

static json_t *build_worst(const struct daily_report *report)
{
    json_t *object, *reasons;

    if (report->worst == 0)
        return json_null();
    object = json_object();
    reasons = wire_parse_text(report->worst_explanation);
    wire_put(&object, "anomaly", json_integer(report->worst));
    wire_put(&object, "similarity", json_integer(report->worst_similarity));
    wire_put(&object, "distance", wire_figure((double)report->worst_distance));
    wire_put(&object, "explanation", reasons ? reasons : json_array());
    return object;
}

static json_t *build_knowledge(const struct daily_report *report)
{
    json_t *object = json_object();
    char crc[16];

    snprintf(crc, sizeof(crc), "%08x", report->knowledge_crc);
    wire_put(&object, "learned", json_integer(report->knowledge_learned));
    wire_put(&object, "crc", json_string(crc));
    return object;
}

static json_t *build_trend(const struct trend *trend)
{
    json_t *object = json_object();

    wire_put(&object, "days", json_integer(trend->days));
    wire_put(&object, "log_distance", wire_figure(trend->level));
    wire_put(&object, "per_day", wire_figure(trend->slope));
    wire_put(&object, "per_day_low", wire_figure(trend->slope_low));
    wire_put(&object, "per_day_high", wire_figure(trend->slope_high));
    wire_put(&object, "rising", json_boolean(trend->rising));
    wire_put(&object, "days_to_line", wire_figure(trend->to_line));
    wire_put(&object, "days_to_line_low", wire_figure(trend->to_line_low));
    wire_put(&object, "days_to_line_high", wire_figure(trend->to_line_high));
    return object;
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
    wire_put(&object, "made", wire_time(report->made));
    wire_put(&object, "anomalies_per_hour", wire_figure(report->anomalies_per_hour));
    wire_put_hour(&object, &report->total);
    wire_put(&object, "worst", build_worst(report));
    wire_put(&object, "knowledge", build_knowledge(report));
    wire_put(&object, "sensitivity", wire_float(report->sensitivity));
    wire_put(&object, "threshold", json_integer(report->threshold));
    wire_put(&object, "trend", build_trend(&report->trend));
    wire_put(&object, "by_hour", build_hours(report));
    return object;
}

char *wire_report(const struct daily_report *report)
{
    return wire_dump(build_report(report));
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

static void put_header(FILE *file)
{
    fputs("date,machine,asset,from,to,hours,complete", file);
#define COUNTER_NAME(name, help) fputs("," #name, file);
    HOUR_COUNTERS(COUNTER_NAME)
#undef COUNTER_NAME
    fputs(",anomalies_per_hour,similarity_mean,similarity_min,time_in_anomaly_s,running_s,silent_s,made,sensitivity,"
          "threshold,knowledge_learned,worst_similarity,worst_explanation,trend_per_day,trend_rising,days_to_line,"
          "days_to_line_low,days_to_line_high\r\n",
          file);
}

/* A figure that is not known is an empty cell. */
static void put_figure(FILE *file, double number)
{
    fputc(',', file);
    if (isfinite(number))
        fprintf(file, "%.6g", number);
}

static void put_figures(FILE *file, const double *figures, size_t count)
{
    for (size_t i = 0; i < count; i++)
        put_figure(file, figures[i]);
}

static void put_worst(FILE *file, const struct daily_report *report)
{
    put_figure(file, report->worst != 0 ? report->worst_similarity : (double)NAN);
    fputc(',', file);
    if (report->worst_explanation)
        cell_put_text(file, report->worst_explanation);
}

static void put_trend(FILE *file, const struct trend *trend)
{
    const double to_line[] = { trend->to_line, trend->to_line_low, trend->to_line_high };

    put_figure(file, trend->slope);
    fputs(trend->rising ? ",yes" : ",no", file);
    put_figures(file, to_line, 3);
}

static void put_report(FILE *file, const struct daily_report *report)
{
    const struct hour *total = &report->total;
    const double figures[] = { report->anomalies_per_hour,
                               report->similarity_mean,
                               total->similarity_min > 100 ? (double)NAN : total->similarity_min,
                               (double)total->anomaly_ms / 1000.0,
                               (double)total->running_ms / 1000.0,
                               (double)total->silent_ms / 1000.0 };
    const double force[] = { (double)report->sensitivity, report->threshold, report->knowledge_learned };
    char from[CLOCK_TEXT_SIZE], to[CLOCK_TEXT_SIZE], made[CLOCK_TEXT_SIZE];

    fprintf(file, "%s,%s,", report->day.date, report->machine);
    cell_put_text(file, report->asset);
    fprintf(file, ",%s,%s", clock_text(report->day.from, from), clock_text(report->day.to, to));
    put_figure(file, report->hours);
    fputs(report->complete ? ",yes" : ",no", file);
#define COUNTER_CELL(name, help) fprintf(file, ",%u", total->name);
    HOUR_COUNTERS(COUNTER_CELL)
#undef COUNTER_CELL
    put_figures(file, figures, sizeof(figures) / sizeof(figures[0]));
    fprintf(file, ",%s", report->made != 0 ? clock_text(report->made, made) : "");
    put_figures(file, force, sizeof(force) / sizeof(force[0]));
    put_worst(file, report);
    put_trend(file, &report->trend);
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
