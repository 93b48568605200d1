/* Anomalies as they are listed, and as they are announced; troubles as they are announced. */
#include "wire/build.h"
#include "wire/document.h"
#include "wire/json.h"
#include "wire/parse.h"

/* The stored text is ours; a damaged one costs the explanation, not the anomaly. */
static json_t *build_stored(const char *explanation)
{
    json_t *items = wire_parse_text(explanation);

    return items ? items : json_array();
}

static json_t *build_context(const char *context)
{
    json_t *object = context[0] != '\0' ? wire_parse_text(context) : NULL;

    return object ? object : json_object();
}

/* What both forms say. */
static void put_facts(json_t **object, const struct anomaly *anomaly)
{
    wire_put(object, "raised", wire_time(anomaly->raised));
    wire_put(object, "similarity", json_integer(anomaly->similarity));
    wire_put(object, "distance", wire_figure((double)anomaly->distance));
    wire_put(object, "threshold", json_integer(anomaly->threshold));
    wire_put(object, "sensitivity", wire_float(anomaly->sensitivity));
    wire_put(object, "learned", json_integer(anomaly->learned));
    wire_put(object, "buffers", json_integer(anomaly->buffers));
    wire_put(object, "knowledge",
             anomaly->knowledge_crc != 0 ? json_sprintf("%08x", anomaly->knowledge_crc) : json_null());
    wire_put(object, "context", build_context(anomaly->context));
    wire_put(object, "explanation", build_stored(anomaly->explanation));
}

static json_t *build_head(const struct anomaly *anomaly, enum anomaly_event event)
{
    json_t *object = json_object();

    wire_put(&object, "id", json_integer(anomaly->id));
    wire_put(&object, "machine", json_string(anomaly->machine));
    wire_put(&object, "asset", wire_text(anomaly->asset));
    wire_put(&object, "event", json_string(anomaly_event_name(event)));
    return object;
}

json_t *build_anomaly(const struct anomaly *anomaly)
{
    json_t *object = build_head(anomaly, (enum anomaly_event)anomaly->event);

    wire_put(&object, "open", json_boolean(anomaly->cleared == 0));
    wire_put(&object, "cleared", wire_time(anomaly->cleared));
    wire_put(&object, "duration_s",
             anomaly->cleared != 0 ? wire_figure((double)(anomaly->cleared - anomaly->raised) / 1000) : json_null());
    wire_put(&object, "evidence", json_integer(anomaly->evidence));
    wire_put(&object, "undo", wire_id(anomaly->undo));
    put_facts(&object, anomaly);
    return object;
}

char *wire_anomaly(const struct anomaly *anomaly)
{
    return wire_dump(build_anomaly(anomaly));
}

char *wire_anomalies(const struct anomaly *anomalies, size_t count, int64_t next)
{
    json_t *page = json_object(), *array = json_array();

    for (size_t i = 0; i < count; i++)
        wire_append(&array, build_anomaly(&anomalies[i]));
    wire_put(&page, "anomalies", array);
    wire_put(&page, "next", wire_id(next));
    return wire_dump(page);
}

char *wire_anomaly_event(const struct anomaly *anomaly, enum anomaly_event event, int64_t at)
{
    json_t *object = build_head(anomaly, event);

    wire_put(&object, "time", wire_time(at));
    put_facts(&object, anomaly);
    return wire_dump(object);
}

char *wire_trouble(const char *machine, const char *asset, enum trouble trouble, bool began, int64_t at)
{
    json_t *object = json_object();

    wire_put(&object, "machine", json_string(machine));
    wire_put(&object, "asset", wire_text(asset));
    wire_put(&object, "event", json_string(trouble_name(trouble)));
    wire_put(&object, "state", json_string(began ? "began" : "ended"));
    wire_put(&object, "time", wire_time(at));
    wire_put(&object, "meaning", json_string(trouble_meaning(trouble)));
    return wire_dump(object);
}
