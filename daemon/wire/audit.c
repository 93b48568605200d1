/* Records of changes as JSON and CSV. */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "wire/cell.h"
#include "wire/document.h"
#include "wire/json.h"

static json_t *build_audit(const struct audit *audit)
{
    json_t *object = json_object();

    wire_put(&object, "id", json_integer((json_int_t)audit->id));
    wire_put(&object, "at", wire_time(audit->at));
    wire_put(&object, "actor", wire_text(audit->actor));
    wire_put(&object, "door", wire_text(audit->door));
    wire_put(&object, "address", wire_text(audit->address[0] != '\0' ? audit->address : NULL));
    wire_put(&object, "action", wire_text(audit->action));
    wire_put(&object, "machine", wire_text(audit->machine[0] != '\0' ? audit->machine : NULL));
    wire_put(&object, "outcome", audit->outcome != 0 ? json_integer(audit->outcome) : json_null());
    wire_put(&object, "detail", wire_text(audit->detail));
    return object;
}

char *wire_audits(const struct audit *audits, size_t count, int64_t next)
{
    json_t *page = json_object(), *array = json_array();

    for (size_t i = 0; i < count; i++)
        wire_append(&array, build_audit(&audits[i]));
    wire_put(&page, "audit", array);
    wire_put(&page, "next", wire_id(next));
    return wire_dump(page);
}

static void put_line(FILE *file, const struct audit *audit)
{
    char at[CLOCK_TEXT_SIZE];

    fprintf(file, "%lld,%s,%s,%s,%s,", (long long)audit->id, clock_text(audit->at, at), audit->actor, audit->door,
            audit->address);
    cell_put_text(file, audit->action);
    fprintf(file, ",%s,%d,", audit->machine, audit->outcome);
    cell_put_text(file, audit->detail);
    fputs("\r\n", file);
}

char *wire_audits_csv(const struct audit *audits, size_t count)
{
    char *text = NULL;
    size_t size;
    FILE *file = open_memstream(&text, &size);

    if (!file)
        return NULL;
    fputs("id,at,actor,door,address,action,machine,outcome,detail\r\n", file);
    for (size_t i = 0; i < count; i++)
        put_line(file, &audits[i]);
    if (fclose(file) == 0)
        return text;
    free(text);
    return NULL;
}
