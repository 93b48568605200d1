/* Any text at every reader of JSON but that of buffers: it is taken or refused; what was refused changed nothing; what was
 * taken and is written again reads as the same. The first byte chooses the reader. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "refusals.h"
#include "wire/command.h"
#include "wire/document.h"
#include "wire/dump.h"
#include "wire/json.h"
#include "wire/parse.h"

static const int64_t now = INT64_C(1795353571000);

static bool same(const void *a, const void *b, size_t size)
{
    return memcmp(a, b, size) == 0;
}

/* -------------------------------------------------------------------------------------------------------- documents */

static size_t depth_of(json_t *value)
{
    size_t deepest = 0, i;
    const char *name;
    json_t *member;

    if (json_is_object(value)) {
        json_object_foreach(value, name, member)
        {
            const size_t depth = depth_of(member);

            deepest = depth > deepest ? depth : deepest;
        }
    } else if (json_is_array(value)) {
        json_array_foreach(value, i, member)
        {
            const size_t depth = depth_of(member);

            deepest = depth > deepest ? depth : deepest;
        }
    } else {
        return 0;
    }
    return deepest + 1;
}

static void read_document(const uint8_t *bytes, size_t size)
{
    struct refusal refusal;
    json_t *root, *again;
    char *text;
    int r = wire_load(bytes, size, &root, &refusal);

    fuzz_check_answer(r, &refusal);
    if (r != 0)
        return;
    CLAIM(depth_of(root) <= LIMIT_JSON_DEPTH);
    text = wire_dump_value(root, JSON_COMPACT | JSON_REAL_PRECISION(17));
    CLAIM(text != NULL);
    again = wire_parse(text, strlen(text), JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL, NULL);
    CLAIM(again != NULL && json_equal(root, again));
    json_decref(again);
    json_decref(root);
    free(text);
}

/* --------------------------------------------------------------------------------------------------------- settings */

static void check_same_settings(const struct settings *settings, const struct settings *base)
{
    char *text = wire_settings(settings, ORIGIN_REST), *again_text;
    struct settings again;
    struct refusal refusal;

    CLAIM(text != NULL);
    memcpy(&again, base, sizeof(again));
    CLAIM(wire_read_settings(text, strlen(text), &again, base, ORIGIN_REST, &refusal) == 0);
    for (size_t i = 0; i < SETTINGS_COUNT; i++)
        CLAIM(settings->origin[i] == again.origin[i] && settings_equal(settings, &again, &settings_fields[i]));
    again_text = wire_settings(&again, ORIGIN_REST);
    CLAIM(again_text != NULL && strcmp(text, again_text) == 0);
    free(again_text);
    free(text);
}

static void read_settings(const uint8_t *bytes, size_t size)
{
    struct settings base, settings;
    struct refusal refusal;
    int r;

    memset(&base, 0, sizeof(base));
    settings_default(&base);
    base.buffer_size = 64;
    base.axes = 3;
    memcpy(&settings, &base, sizeof(settings));
    r = wire_read_settings(bytes, size, &settings, &base, ORIGIN_REST, &refusal);
    fuzz_check_answer(r, &refusal);
    if (r != 0) {
        CLAIM(same(&settings, &base, sizeof(settings)));
        return;
    }
    check_same_settings(&settings, &base);
    fuzz_check_answer(settings_check(&settings, &refusal), &refusal);
}

static void read_sensitivity(const uint8_t *bytes, size_t size)
{
    struct refusal refusal;
    float sensitivity = -1.0f;
    int r = wire_read_sensitivity(bytes, size, &sensitivity, &refusal);

    fuzz_check_answer(r, &refusal);
    CLAIM(r == 0 ? sensitivity > 0.0f && sensitivity <= 100.0f : sensitivity == -1.0f);
}

/* ------------------------------------------------------------------------------------------------------ small bodies */

static void read_token(const uint8_t *bytes, size_t size)
{
    struct refusal refusal;
    char text[40];
    int r;

    memset(text, 'x', sizeof(text));
    r = wire_read_token(bytes, size, text, sizeof(text), &refusal);
    fuzz_check_answer(r, &refusal);
    CLAIM(r == 0 ? memchr(text, '\0', sizeof(text)) != NULL : text[0] == 'x' && text[39] == 'x');
}

static void read_mute(const uint8_t *bytes, size_t size)
{
    struct refusal refusal;
    struct mute mute, before;
    int r;

    memset(&mute, 0x5a, sizeof(mute));
    memcpy(&before, &mute, sizeof(before));
    r = wire_read_mute(bytes, size, now, &mute, &refusal);
    fuzz_check_answer(r, &refusal);
    if (r != 0)
        CLAIM(same(&mute, &before, sizeof(mute)));
    else
        CLAIM(mute.until > now && mute.until - now <= (int64_t)LIMIT_MUTE_DAYS * 86400000);
}

static void read_note(const uint8_t *bytes, size_t size)
{
    char note[SNAPSHOT_NOTE_SIZE];
    struct refusal refusal;
    int r = wire_read_note(bytes, size, note, &refusal);

    fuzz_check_answer(r, &refusal);
    if (r == 0)
        CLAIM(memchr(note, '\0', sizeof(note)) && text_printable(note, sizeof(note)));
}

static void read_context(const uint8_t *bytes, size_t size)
{
    struct wire_meta meta, before;
    struct refusal refusal;
    int r;

    memset(&meta, 0, sizeof(meta));
    memcpy(&before, &meta, sizeof(before));
    r = wire_decode_context(bytes, size, &meta, &refusal);
    fuzz_check_answer(r, &refusal);
    fuzz_check_meta(&meta);
    if (r != 0)
        CLAIM(same(&meta, &before, sizeof(meta)));
}

/* --------------------------------------------------------------------------------------------------------- commands */

/* The id goes back as it came, and what remains is a command without one. */
static void check_taken(const char *id, const char *rest)
{
    json_t *value = wire_parse_text(id);
    char *none, *again;

    CLAIM(value && (json_is_null(value) || json_is_number(value) || json_is_string(value)));
    json_decref(value);
    CLAIM(wire_take_command(rest, strlen(rest), &none, &again, NULL) == 0);
    CLAIM(strcmp(none, "null") == 0 && strcmp(again, rest) == 0);
    free(none);
    free(again);
}

static void check_refused_answer(const char *id, const struct refusal *refusal)
{
    char *text = wire_command_refused("pump-1", "mute", id, refusal);
    json_t *answer = wire_parse_text(text);

    CLAIM(answer && json_is_false(json_object_get(answer, "ok")));
    CLAIM(json_is_string(json_object_get(json_object_get(answer, "problem"), "type")));
    json_decref(answer);
    free(text);
}

static void read_command(const uint8_t *bytes, size_t size)
{
    struct refusal refusal;
    char *id, *rest;
    int r = wire_take_command(bytes, size, &id, &rest, &refusal);

    fuzz_check_answer(r, &refusal);
    CLAIM((r == 0) == (id != NULL) && (r == 0) == (rest != NULL));
    if (r == 0) {
        check_taken(id, rest);
        refuse(&refusal, REFUSAL_STATE, "", "%.100s", rest); /* a detail may quote what came */
    }
    check_refused_answer(id, &refusal);
    free(id);
    free(rest);
}

static void read_line(const uint8_t *bytes, size_t size)
{
    struct wire_line *line = NULL;
    struct refusal refusal;
    int r = wire_line_read(bytes, size, NULL, &line, &refusal);
    char *text = NULL;

    fuzz_check_answer(r, &refusal);
    CLAIM((r == 0) == (line != NULL));
    if (r != 0)
        text = wire_line_problem(7, NULL, &refusal);
    else
        CLAIM(wire_line_machine(line) != NULL);
    if (r != 0) {
        json_t *answer = wire_parse_text(text);

        CLAIM(answer != NULL);
        json_decref(answer);
    }
    free(text);
    wire_line_free(line);
}

static void (*const readers[])(const uint8_t *bytes, size_t size) = {
    read_document, read_settings, read_sensitivity, read_token, read_mute,
    read_note,     read_context,  read_command,     read_line,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 0)
        readers[data[0] % (sizeof(readers) / sizeof(readers[0]))](data + 1, size - 1);
    return 0;
}
