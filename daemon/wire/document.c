#include "wire/document.h"

#include <stdio.h>

#include "wire/build.h"
#include "wire/json.h"
#include "wire/parse.h"

json_t *build_problem(const struct refusal *refusal)
{
    const struct refusal_kind *kind = refusal_kind(refusal->code);
    json_t *problem = json_object();

    wire_put(&problem, "type", json_sprintf("urn:habit:problem:%s", kind->type));
    wire_put(&problem, "title", json_string(kind->title));
    wire_put(&problem, "status", json_integer(kind->status));
    wire_put(&problem, "detail", wire_text(refusal->detail));
    if (refusal->field[0] != '\0')
        wire_put(&problem, "field", wire_text(refusal->field));
    if (refusal->limit >= 0)
        wire_put(&problem, "limit", json_integer(refusal->limit));
    return problem;
}

char *wire_problem(const struct refusal *refusal)
{
    return wire_dump(build_problem(refusal));
}

static json_t *member_value(const struct wire_member *member)
{
    switch (member->type) {
    case MEMBER_TEXT:
        return wire_text(member->text);
    case MEMBER_NUMBER:
        return wire_figure(member->number);
    case MEMBER_INTEGER:
        return json_integer(member->integer);
    case MEMBER_BOOLEAN:
        return json_boolean(member->integer != 0);
    case MEMBER_RAW:
        return wire_parse_text(member->text);
    case MEMBER_NULL:
        return json_null();
    }
    return NULL;
}

char *wire_object(const struct wire_member *members, size_t count)
{
    json_t *object = json_object();

    for (size_t i = 0; i < count; i++)
        wire_put(&object, members[i].name, member_value(&members[i]));
    return wire_dump(object);
}
