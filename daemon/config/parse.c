/* libinih splits lines into keys and values. What it would swallow in silence is found in the lines before it gets
 * them. Measured with 55: a key before the first section has section "", a key or section given twice is delivered
 * twice, names of sections are cut at 49 bytes and text behind them is lost, an indented line continues the value
 * before it, a long line is cut at 199 bytes, and ' ;' within a value starts a comment. So sections and line numbers
 * are kept here. */
#include "config/parse.h"

#include <ctype.h>
#include <errno.h>
#include <ini.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/nearest.h"
#include "config/file.h"
#include "config/keys.h"

struct parser;

struct section {
    const char *name;
    int (*open)(struct parser *parser, const char *label); /* NULL = a plain section without label */
};

enum { LABEL_SIZE = 128 };

struct parser {
    struct config *config;
    uint32_t file; /* its place in config->files */
    char *message;
    const char *rest, *end;                  /* what is not read yet */
    unsigned int line;                       /* the current one */
    size_t room;                             /* bytes that a line may have */
    unsigned int wrong_at;                   /* line of the first error; 0 = none */
    const struct section *section;           /* NULL before the first */
    char heading[LABEL_SIZE];                /* "[http]" */
    void *target;                            /* struct that the section's keys live in */
    bool keys[CONFIG_KEYS + SETTINGS_COUNT]; /* whether a key was given in this section */
    uint64_t sections;                       /* bit i: plain section i was given */
};

/* Notes the first error, "FILE:LINE: what". Returns -EINVAL. */
static int wrong(struct parser *parser, unsigned int line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static int wrong(struct parser *parser, unsigned int line, const char *format, ...)
{
    va_list arguments;
    int used;

    if (parser->wrong_at != 0 && parser->wrong_at <= line)
        return -EINVAL;
    parser->wrong_at = line;
    used = snprintf(parser->message, CONFIG_MESSAGE_SIZE, "%.200s:%u: ", parser->config->files[parser->file], line);
    va_start(arguments, format);
    vsnprintf(parser->message + used, CONFIG_MESSAGE_SIZE - (size_t)used, format, arguments);
    va_end(arguments);
    return -EINVAL;
}

/* Where the current line is. */
static struct config_place here(const struct parser *parser)
{
    return (struct config_place){ .file = parser->file, .line = parser->line };
}

/* --------------------------------------------------------------------------------------------------------- sections */

/* A section that another file has begun goes on; in one file it stands once. */
static int open_again(struct parser *parser, struct config_place *place, void *target)
{
    if (place->file == parser->file)
        return wrong(parser, parser->line, "%s is there already, in line %u", parser->heading, place->line);
    *place = here(parser);
    parser->target = target;
    return 0;
}

static int open_machine(struct parser *parser, const char *label)
{
    struct config *config = parser->config;
    struct config_pattern *grown, *pattern;

    if (!pattern_valid(label))
        return wrong(parser, parser->line, "[machine \"%s\"]: not a pattern of 1 to %d letters, digits, _-*?", label,
                     MACHINE_ID_SIZE - 1);
    for (size_t i = 0; i < config->pattern_count; i++)
        if (strcmp(config->patterns[i].pattern, label) == 0)
            return open_again(parser, &config->patterns[i].place, &config->patterns[i]);
    if (config->pattern_count == LIMIT_PATTERNS)
        return wrong(parser, parser->line, "more than %d [machine] sections", LIMIT_PATTERNS);
    grown = reallocarray(config->patterns, config->pattern_count + 1, sizeof(*grown));
    if (!grown)
        return wrong(parser, parser->line, "out of memory");
    config->patterns = grown;
    pattern = &grown[config->pattern_count++];
    *pattern = (struct config_pattern){ .place = here(parser) };
    snprintf(pattern->pattern, sizeof(pattern->pattern), "%s", label);
    settings_default(&pattern->settings);
    config_keys_default(pattern, "machine");
    parser->target = pattern;
    return 0;
}

static int open_input(struct parser *parser, const char *label)
{
    struct config *config = parser->config;
    struct config_input *grown, *input;

    if (!machine_id_valid(label, strlen(label)))
        return wrong(parser, parser->line, "[input \"%s\"]: not a name: 1 to 63 letters, digits, '_', '-'", label);
    for (size_t i = 0; i < config->input_count; i++)
        if (strcmp(config->inputs[i].name, label) == 0)
            return open_again(parser, &config->inputs[i].place, &config->inputs[i]);
    if (config->input_count == LIMIT_INPUTS)
        return wrong(parser, parser->line, "more than %d [input] sections", LIMIT_INPUTS);
    grown = reallocarray(config->inputs, config->input_count + 1, sizeof(*grown));
    if (!grown)
        return wrong(parser, parser->line, "out of memory");
    config->inputs = grown;
    input = &grown[config->input_count++];
    *input = (struct config_input){ .place = here(parser) };
    snprintf(input->name, sizeof(input->name), "%.63s", label);
    config_keys_default(input, "input");
    parser->target = input;
    return 0;
}

static const struct section sections[] = {
    { "gateway", NULL },         { "http", NULL },        { "mqtt", NULL }, { "store", NULL }, { "report", NULL },
    { "machine", open_machine }, { "input", open_input },
};

enum { SECTIONS = sizeof(sections) / sizeof(sections[0]) };

static int open_plain(struct parser *parser, const struct section *section)
{
    uint64_t bit = UINT64_C(1) << (section - sections);

    if (parser->sections & bit)
        return wrong(parser, parser->line, "%s is there already", parser->heading);
    parser->sections |= bit;
    parser->target = parser->config;
    return 0;
}

static int unknown_section(struct parser *parser, const char *name)
{
    struct nearest nearest = { 0 };

    for (size_t i = 0; i < SECTIONS; i++)
        nearest_offer(&nearest, name, sections[i].name);
    if (nearest.word)
        return wrong(parser, parser->line, "no section [%s]; did you mean [%s]?", name, nearest.word);
    return wrong(parser, parser->line, "no section [%s]: there are gateway, http, mqtt, store, report, machine, input",
                 name);
}

/* label NULL = none was written */
static int open_section(struct parser *parser, const char *name, const char *label)
{
    const struct section *section = NULL;

    for (size_t i = 0; i < SECTIONS; i++)
        if (strcmp(sections[i].name, name) == 0)
            section = &sections[i];
    if (!section)
        return unknown_section(parser, name);
    if (!section->open != !label)
        return wrong(parser, parser->line, section->open ? "[%s] needs a name: [%s \"...\"]" : "[%s] has no name: [%s]",
                     name, name);
    if (label)
        snprintf(parser->heading, sizeof(parser->heading), "[%s \"%.64s\"]", name, label);
    else
        snprintf(parser->heading, sizeof(parser->heading), "[%s]", name);
    parser->section = section;
    memset(parser->keys, 0, sizeof(parser->keys));
    return section->open ? section->open(parser, label) : open_plain(parser, section);
}

/* "[http]" or "[machine "pump-*"]", and nothing else on the line. */
static int read_section(struct parser *parser, const char *text)
{
    char name[LABEL_SIZE] = "", label[LABEL_SIZE] = "";
    int plain = -1, labelled = -1;

    if (sscanf(text, "[%127[a-zA-Z0-9_.-]]%n", name, &plain) == 1 && plain > 0 && text[plain] == '\0')
        return open_section(parser, name, NULL);
    if (sscanf(text, "[%127[a-zA-Z0-9_.-] \"%127[^\"]\"]%n", name, label, &labelled) == 2 && labelled > 0 &&
        text[labelled] == '\0')
        return open_section(parser, name, label);
    return wrong(parser, parser->line, "not a section: it is [name] or [name \"pattern\"], alone on its line");
}

/* ------------------------------------------------------------------------------------------------------------- keys */

static void offer_keys(struct nearest *nearest, const struct section *section, const char *name)
{
    for (size_t i = 0; i < CONFIG_KEYS; i++)
        if (strcmp(config_keys[i].section, section->name) == 0)
            nearest_offer(nearest, name, config_keys[i].key);
    for (size_t i = 0; i < SETTINGS_COUNT && section->open == open_machine; i++)
        nearest_offer(nearest, name, settings_fields[i].key);
}

/* The section that has such a key; "" = none. */
static const char *home_of(const char *name)
{
    for (size_t i = 0; i < CONFIG_KEYS; i++)
        if (strcmp(config_keys[i].key, name) == 0)
            return config_keys[i].section;
    return settings_find(name) ? "machine" : "";
}

static int unknown_key(struct parser *parser, const char *name)
{
    const char *home = home_of(name);
    struct nearest nearest = { 0 };

    if (home[0] != '\0')
        return wrong(parser, parser->line, "%s has no key '%s'; [%s] has", parser->heading, name, home);
    offer_keys(&nearest, parser->section, name);
    if (nearest.word)
        return wrong(parser, parser->line, "%s has no key '%s'; did you mean '%s'?", parser->heading, name,
                     nearest.word);
    return wrong(parser, parser->line, "%s has no key '%s'", parser->heading, name);
}

/* Where the place of a key is noted. */
static struct config_place *place_of(const struct parser *parser, const struct config_key *key)
{
    if (parser->section->open == open_machine)
        return &((struct config_pattern *)parser->target)->create_place;
    if (parser->section->open == open_input)
        return &((struct config_input *)parser->target)->places[key - config_keys];
    return &parser->config->places[key - config_keys];
}

static int set_key(struct parser *parser, const struct config_key *key, const char *value)
{
    struct refusal refusal;

    if (config_key_set(parser->target, key, value, &refusal) != 0)
        return wrong(parser, parser->line, "%s %s: %s", parser->heading, key->key, refusal.detail);
    *place_of(parser, key) = here(parser);
    return 0;
}

static int set_setting(struct parser *parser, const struct settings_field *field, const char *value)
{
    struct config_pattern *pattern = parser->target;
    struct refusal refusal;

    if (settings_set_text(&pattern->settings, field, value, ORIGIN_FILE, &refusal) != 0)
        return wrong(parser, parser->line, "%s %s = %s: %s", parser->heading, field->key, value, refusal.detail);
    pattern->places[field - settings_fields] = here(parser);
    return 0;
}

static int read_value(struct parser *parser, const char *name, const char *value)
{
    const struct config_key *key = config_key_find(parser->section->name, name);
    const struct settings_field *field = parser->section->open == open_machine ? settings_find(name) : NULL;
    size_t length = strlen(value);
    bool *given;

    if (!key && !field)
        return unknown_key(parser, name);
    given = &parser->keys[key ? key - config_keys : CONFIG_KEYS + (field - settings_fields)];
    if (*given)
        return wrong(parser, parser->line, "%s %s: given twice", parser->heading, name);
    *given = true;
    if (value[0] == ';')
        return wrong(parser, parser->line, "%s %s: ';' begins a comment, and comments have lines of their own",
                     parser->heading, name);
    if (strlen(name) + strlen(" = ") + length > parser->room) /* as config_print writes it */
        return wrong(parser, parser->line, "%s %s: value of %zu bytes, at most %zu are possible", parser->heading, name,
                     length, parser->room - strlen(name) - strlen(" = "));
    if (length >= 2 && value[0] == '"' && value[length - 1] == '"')
        return wrong(parser, parser->line, "%s %s: write the value without quotes", parser->heading, name);
    return key ? set_key(parser, key, value) : set_setting(parser, field, value);
}

/* Called by libinih for a key and its value, while parser->line is the line they are in. */
static int on_value(void *user, const char *section, const char *name, const char *value)
{
    struct parser *parser = user;

    (void)section; /* cut at 49 bytes */
    if (!parser->section)
        return wrong(parser, parser->line, "'%s' stands before the first [section]", name) == 0;
    return read_value(parser, name, value) == 0;
}

/* ------------------------------------------------------------------------------------------------------------ lines */

/* Takes the next line off the file, without its end. */
static size_t take_line(struct parser *parser, const char **line)
{
    size_t left = (size_t)(parser->end - parser->rest);
    const char *newline = memchr(parser->rest, '\n', left);
    size_t length = newline ? (size_t)(newline - parser->rest) : left;

    *line = parser->rest;
    parser->rest += length + (newline != NULL);
    parser->line++;
    return length > 0 && (*line)[length - 1] == '\r' ? length - 1 : length;
}

/* Trims a line in place and checks it. A line that was trimmed on the left continues nothing. */
static int check_line(struct parser *parser, char *line)
{
    size_t length = strlen(line), indent;

    if (parser->line == 1 && strncmp(line, "\xef\xbb\xbf", 3) == 0)
        return wrong(parser, parser->line, "the file starts with a byte order mark: save it as plain UTF-8");
    for (size_t i = 0; i < length; i++)
        if (line[i] == '\t')
            line[i] = ' ';
    if (!text_printable(line, length + 1))
        return wrong(parser, parser->line, "control characters, or not UTF-8");
    while (length > 0 && line[length - 1] == ' ')
        line[--length] = '\0';
    indent = strspn(line, " ");
    memmove(line, line + indent, length - indent + 1);
    if (line[0] != '#' && line[0] != ';' && strstr(line, " ;"))
        return wrong(parser, parser->line, "' ;' in the middle of a line: comments have lines of their own");
    return line[0] == '[' ? read_section(parser, line) : 0;
}

/* fgets for libinih: one checked line, never longer than its room, so that it cuts nothing. NULL = end, or an error. */
static char *next_line(char *line, int room, void *stream)
{
    struct parser *parser = stream;
    const char *bytes;
    size_t length;

    if (parser->wrong_at != 0 || parser->rest == parser->end)
        return NULL;
    length = take_line(parser, &bytes);
    if (memchr(bytes, '\0', length)) {
        wrong(parser, parser->line, "NUL byte: this is not a text file");
        return NULL;
    }
    parser->room = (size_t)room - 3;
    if (length > parser->room) {
        wrong(parser, parser->line, "line of %zu bytes, at most %zu are possible", length, parser->room);
        return NULL;
    }
    memcpy(line, bytes, length);
    line[length] = '\0';
    return check_line(parser, line) == 0 ? line : NULL;
}

/* --------------------------------------------------------------------------------------------------------- the file */

static int parse_bytes(struct parser *parser, const struct config_file *file)
{
    int r;

    parser->rest = file->bytes;
    parser->end = file->bytes + file->size;
    r = ini_parse_stream(next_line, parser, on_value, parser);
    if (r < 0)
        return wrong(parser, 1, "out of memory");
    if (r > 0) /* the first line that libinih could not split, or that on_value refused: wrong() keeps the first */
        return wrong(parser, (unsigned int)r, "neither [section] nor key = value");
    return parser->wrong_at != 0 ? -EINVAL : 0;
}

int config_parse(struct config *config, uint32_t index, char message[CONFIG_MESSAGE_SIZE])
{
    struct parser parser = { .config = config, .file = index, .message = message };
    const char *path = config->files[index];
    struct config_file file;
    char why[128];
    int r = config_file_read(&file, path, why, sizeof(why));

    if (r < 0) {
        snprintf(message, CONFIG_MESSAGE_SIZE, "%.300s: %s", path, why);
        return r;
    }
    r = parse_bytes(&parser, &file);
    config_file_free(&file);
    return r;
}
