#include "wire/line.h"

#include <errno.h>
#include <stdlib.h>

#include "wire/build.h"
#include "wire/document.h"
#include "wire/json.h"
#include "wire/write.h"

struct wire_line {
    struct json_buffer document; /* an object, without its machine */
    json_t *machine;             /* a string */
};

/* Takes the machine out, so that it is no field that nobody knows. */
static int take_machine(struct wire_line *line, const char *nameless, struct refusal *refusal)
{
    json_t *machine = json_object_get(line->document.root, "machine");

    if (!machine && nameless && json_is_object(line->document.root)) {
        line->machine = json_string(nameless);
        return line->machine ? 0 : fault(-ENOMEM);
    }
    if (!machine)
        return refuse(refusal, REFUSAL_MACHINE_ID, "machine", "a line is an object with machine and data");
    if (!json_is_string(machine))
        return refuse(refusal, REFUSAL_MACHINE_ID, "machine", "machine is %s, not a machine ID",
                      wire_type_name(machine));
    line->machine = json_incref(machine);
    json_object_del(line->document.root, "machine");
    return 0;
}

int wire_line_read(const void *bytes, size_t size, const char *nameless, struct wire_line **ret_line,
                   struct refusal *refusal)
{
    struct wire_line *line = calloc(1, sizeof(*line));
    int r;

    if (!line)
        return fault(-ENOMEM);
    r = json_buffer_load(bytes, size, NULL, &line->document, refusal);
    if (r == 0)
        r = take_machine(line, nameless, refusal);
    if (r != 0) {
        wire_line_free(line);
        return r;
    }
    *ret_line = line;
    return 0;
}

const char *wire_line_machine(const struct wire_line *line)
{
    return json_string_value(line->machine);
}

const struct json_buffer *line_document(const struct wire_line *line)
{
    return &line->document;
}

void wire_line_free(struct wire_line *line)
{
    if (!line)
        return;
    json_buffer_free(&line->document);
    json_decref(line->machine);
    free(line);
}

/* ----------------------------------------------------------------------------------------------------------- answers */

static json_t *begin_answer(size_t number, const char *machine)
{
    json_t *answer = json_object();

    wire_put(&answer, "line", json_integer((json_int_t)number));
    wire_put(&answer, "machine", wire_text(machine));
    return answer;
}

char *wire_line_verdicts(size_t number, const char *machine, const struct verdict *verdicts, size_t shown, size_t count)
{
    struct writer writer = { 0 };

    writer_open(&writer, '{');
    writer_name(&writer, "line");
    writer_integer(&writer, (int64_t)number);
    writer_name(&writer, "machine");
    writer_text(&writer, machine);
    write_verdicts(&writer, verdicts, shown, count);
    writer_close(&writer, '}');
    return writer_take(&writer);
}

char *wire_line_problem(size_t number, const char *machine, const struct refusal *refusal)
{
    json_t *answer = begin_answer(number, machine);

    wire_put(&answer, "status", json_string("refused"));
    wire_put(&answer, "problem", build_problem(refusal));
    return wire_dump(answer);
}

/* --------------------------------------------------------------------------------------------------------- the other way */

char *wire_stored(const char *machine, int64_t at, int64_t anomaly, uint32_t axes, const float *samples, size_t values)
{
    json_t *line = json_object(), *data = json_array();

    wire_put(&line, "machine", json_string(machine));
    wire_put(&line, "time", wire_time(at));
    wire_put(&line, "axes", json_integer(axes));
    if (anomaly != 0)
        wire_put(&line, "anomaly", json_integer(anomaly));
    for (size_t i = 0; i < values; i++)
        wire_append(&data, wire_float(samples[i]));
    wire_put(&line, "data", data);
    return wire_dump(line);
}
