#include "http/media.h"

#include <string.h>
#include <strings.h>

static const struct {
    const char *name;
    enum wire_encoding encoding;
} types[] = {
    [ENCODING_RAW] = { "application/octet-stream", ENCODING_RAW },
    [ENCODING_JSON] = { "application/json", ENCODING_JSON },
    [ENCODING_CSV] = { "text/csv", ENCODING_CSV },
    { "application/x-ndjson", ENCODING_JSON }, /* from here on: lines */
    { "application/jsonl", ENCODING_JSON },
};

enum { TYPES = sizeof(types) / sizeof(types[0]), LINES = ENCODING_CSV + 1 };

/* By kind of body: a bit for each type; and the words for it. */
static const struct {
    unsigned int types;
    const char *words;
} accepted[BODIES] = {
    [BODY_JSON] = { 1u << ENCODING_JSON, "application/json" },
    [BODY_OPTION] = { 1u << ENCODING_JSON, "application/json" },
    [BODY_BLOCK] = { 1u << ENCODING_RAW, "application/octet-stream" },
    [BODY_LINES] = { 1u << LINES | 1u << (LINES + 1), "application/x-ndjson" },
    [BODY_KEPT] = { 1u << ENCODING_RAW | 1u << ENCODING_JSON, "application/octet-stream or application/json" },
    [BODY_BUFFERS] = { 1u << ENCODING_RAW | 1u << ENCODING_JSON | 1u << ENCODING_CSV,
                       "application/octet-stream, application/json or text/csv" },
};

static const char *skip_spaces(const char *text)
{
    return text + strspn(text, " \t");
}

/* Whether the element at text, up to a semicolon, comma or its end, is this word. */
static bool is_word(const char *text, const char *word)
{
    size_t length = strcspn(text, ";, \t");

    return length == strlen(word) && strncasecmp(text, word, length) == 0;
}

static bool charset_is_utf8(const char *type)
{
    const char *charset = strcasestr(type, "charset=");

    if (!charset)
        return true;
    charset += strlen("charset=");
    return is_word(charset, "utf-8") || is_word(charset, "\"utf-8\"");
}

int media_of_body(enum body body, const char *type, enum wire_encoding *encoding, struct refusal *refusal)
{
    for (unsigned int i = 0; type && i < TYPES; i++)
        if ((accepted[body].types & 1u << i) && is_word(skip_spaces(type), types[i].name) && charset_is_utf8(type)) {
            *encoding = types[i].encoding;
            return 0;
        }
    return refuse(refusal, REFUSAL_MEDIA_TYPE, "Content-Type", "%.64s: this route takes %s, text in UTF-8",
                  type ? type : "no content type", accepted[body].words);
}

/* ----------------------------------------------------------------------------------------------------------- Accept */

static const struct {
    const char *range;
    bool csv;
} ranges[] = {
    { "text/csv", true },       { "text/*", true }, { "application/json", false },
    { "application/*", false }, { "*/*", false },
};

int media_prefers_csv(const char *accept, bool *csv, struct refusal *refusal)
{
    *csv = false;
    if (!accept)
        return 0;
    for (const char *element = accept; *element != '\0';) {
        element += strspn(element, ", \t");
        for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
            if (is_word(element, ranges[i].range)) {
                *csv = ranges[i].csv;
                return 0;
            }
        element += strcspn(element, ",");
    }
    return refuse(refusal, REFUSAL_NOT_ACCEPTABLE, "Accept", "there is application/json and text/csv");
}
