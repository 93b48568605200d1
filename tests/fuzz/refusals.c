#include "refusals.h"

#include <math.h>
#include <string.h>

#include "fuzz.h"
#include "wire/parse.h"

/* As habitd does when it starts. */
__attribute__((constructor)) static void begin(void)
{
    wire_parse_begin();
}

static bool ends(const char *text, size_t size)
{
    return memchr(text, '\0', size) != NULL;
}

void fuzz_check_answer(int r, const struct refusal *refusal)
{
    CLAIM(r >= 0);
    if (r == 0)
        return;
    CLAIM(r == (int)refusal->code && r < REFUSAL_CODES && r != REFUSAL_BROKEN);
    CLAIM(ends(refusal->detail, sizeof(refusal->detail)) && refusal->detail[0] != '\0');
    CLAIM(ends(refusal->field, sizeof(refusal->field)));
    CLAIM(refusal->limit >= -1);
}

void fuzz_check_meta(const struct wire_meta *meta)
{
    const double most = 9007199254740992.0; /* 2^53 */

    CLAIM(ends(meta->source, sizeof(meta->source)) && text_printable(meta->source, sizeof(meta->source)));
    CLAIM(ends(meta->boot, sizeof(meta->boot)) && text_printable(meta->boot, sizeof(meta->boot)));
    CLAIM((double)meta->seq < most && (double)meta->age_ms < most && meta->time >= 0);
    CLAIM(meta->context_count <= LIMIT_CONTEXT);
    for (uint32_t i = 0; i < meta->context_count; i++)
        CLAIM(meta->context[i].name[0] != '\0' && isfinite(meta->context[i].value));
}
