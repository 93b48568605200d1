/* Reports of assets and of the fleet; the history and the last buffers of one machine. */
#include <math.h>

#include "wire/document.h"
#include "wire/json.h"

static json_t *build_name(const char *name)
{
    return name[0] != '\0' ? wire_text(name) : json_null();
}

static json_t *build_group(const struct group_report *group)
{
    json_t *object = json_object();

    wire_put(&object, "date", json_string(group->day.date));
    wire_put(&object, "asset", build_name(group->asset));
    wire_put(&object, "from", wire_time(group->day.from));
    wire_put(&object, "to", wire_time(group->day.to));
    wire_put(&object, "hours", wire_figure(group->hours));
    wire_put(&object, "complete", json_boolean(group->complete));
    wire_put(&object, "machines", json_integer(group->machines));
    wire_put(&object, "heard", json_integer(group->heard));
    wire_put(&object, "anomalies_per_hour", wire_figure(group->anomalies_per_hour));
    wire_put_hour(&object, &group->total);
    wire_put(&object, "worst_machine", build_name(group->worst));
    wire_put(&object, "rising", json_integer(group->rising));
    wire_put(&object, "next_machine", build_name(group->next));
    wire_put(&object, "days_to_line", wire_figure(group->to_line));
    wire_put(&object, "days_to_line_low", wire_figure(group->to_line_low));
    wire_put(&object, "days_to_line_high", wire_figure(group->to_line_high));
    return object;
}

char *wire_group(const struct group_report *group)
{
    return wire_dump(build_group(group));
}

char *wire_groups(const struct group_report *groups, size_t count, size_t left_out)
{
    json_t *page = json_object(), *array = json_array();

    for (size_t i = 0; i < count; i++)
        wire_append(&array, build_group(&groups[i]));
    wire_put(&page, "groups", array);
    wire_put(&page, "left_out", json_integer((json_int_t)left_out));
    return wire_dump(page);
}

static json_t *build_point(const struct history_point *point)
{
    json_t *object = json_object();

    wire_put(&object, "from", wire_time(point->sum.start));
    wire_put(&object, "to", wire_time(point->to));
    wire_put(&object, "phase",
             point->sum.phase > 0 ? json_string(phase_name((enum phase)(point->sum.phase - 1))) : json_null());
    wire_put_hour(&object, &point->sum);
    return object;
}

static json_t *build_recent_point(const struct recent_point *point)
{
    bool window = point->average_distance > 0;
    json_t *object = json_object();

    wire_put(&object, "time", wire_time(point->at));
    wire_put(&object, "similarity", json_integer(point->similarity));
    wire_put(&object, "distance", wire_figure((double)point->distance));
    wire_put(&object, "average", window ? json_integer(point->average_similarity) : json_null());
    wire_put(&object, "average_distance", window ? wire_figure((double)point->average_distance) : json_null());
    wire_put(&object, "level", wire_figure((double)point->level));
    wire_put(&object, "amplitude", wire_figure((double)point->amplitude));
    return object;
}

char *wire_recent(const char *machine, const struct recent_point *points, size_t count, uint64_t total)
{
    json_t *document = json_object(), *array = json_array();

    for (size_t i = 0; i < count; i++)
        wire_append(&array, build_recent_point(&points[i]));
    wire_put(&document, "machine", json_string(machine));
    wire_put(&document, "next", json_integer((json_int_t)total));
    wire_put(&document, "points", array);
    return wire_dump(document);
}

char *wire_history(const char *machine, const struct history_point *points, size_t count)
{
    json_t *document = json_object(), *array = json_array();

    for (size_t i = 0; i < count; i++)
        wire_append(&array, build_point(&points[i]));
    wire_put(&document, "machine", json_string(machine));
    wire_put(&document, "points", array);
    return wire_dump(document);
}
