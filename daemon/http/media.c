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

/* What an Accept header says of a type: by the range that names it most exactly. */
struct liking {
    const char *ranges[3]; /* from the most exact on */
    int exact;             /* index into ranges; 3 = none came */
    int quality;           /* thousandths */
    size_t place;          /* in the header */
};

enum { RANGES = 3, WHOLE = 1000 };

/* "0.25" is 250; what is no quality counts as none given. */
static int quality_value(const char *text)
{
    int value = (*text - '0') * WHOLE, digit = WHOLE / 10;

    if ((*text != '0' && *text != '1') || (text[1] != '.' && !strchr(", \t;", text[1])))
        return WHOLE;
    for (text += 1 + (text[1] == '.'); *text >= '0' && *text <= '9'; text++, digit /= 10)
        value += (*text - '0') * digit;
    return value < WHOLE ? value : WHOLE;
}

/* Of the element at text, whose parameters follow its range. */
static int quality_of(const char *text)
{
    const char *end = text + strcspn(text, ",");

    for (text += strcspn(text, ";,"); text < end; text += strcspn(text, ";,")) {
        text = skip_spaces(text + 1);
        if (strncasecmp(text, "q=", 2) == 0)
            return quality_value(text + 2);
    }
    return WHOLE;
}

static void consider(struct liking *liking, const char *element, size_t place)
{
    for (int i = 0; i < liking->exact; i++)
        if (is_word(element, liking->ranges[i])) {
            liking->exact = i;
            liking->quality = quality_of(element);
            liking->place = place;
        }
}

/* Of two that are liked as well, the one that is named first; of one range for both, JSON. */
int media_prefers_csv(const char *accept, bool *csv, struct refusal *refusal)
{
    struct liking of_csv = { { "text/csv", "text/*", "*/*" }, RANGES, 0, 0 },
                  of_json = { { "application/json", "application/*", "*/*" }, RANGES, 0, 0 };

    *csv = false;
    if (!accept)
        return 0;
    for (const char *element = accept; *element != '\0'; element += strcspn(element, ",")) {
        element += strspn(element, ", \t");
        consider(&of_csv, element, (size_t)(element - accept));
        consider(&of_json, element, (size_t)(element - accept));
    }
    if (of_csv.quality == 0 && of_json.quality == 0)
        return refuse(refusal, REFUSAL_NOT_ACCEPTABLE, "Accept", "there is application/json and text/csv");
    *csv = of_csv.quality > of_json.quality || (of_csv.quality == of_json.quality && of_csv.place < of_json.place);
    return 0;
}
