#include "knowledge_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "block_search.h"
#include "message.h"
#include "options.h"
#include "output_file.h"

enum {
    BLOCK_BYTES = 1 << 20, /* far above the largest block */
    MEMORY_BYTES = 64 << 20
};

const char *const profile_names[HABIT_PROFILES] = { "small", "default", "large" };

const char *config_field_text(const struct habit_config *config, enum habit_field field,
                              char text[CONFIG_FIELD_TEXT_SIZE])
{
    const double numbers[] = {
        [HABIT_FIELD_BUFFER_SIZE] = config->buffer_size,
        [HABIT_FIELD_AXES] = config->axes,
        [HABIT_FIELD_SAMPLING_HZ] = (double)config->sampling_hz,
        [HABIT_FIELD_SCALE] = (double)config->scale,
    };

    if (field == HABIT_FIELD_PROFILE)
        snprintf(text, CONFIG_FIELD_TEXT_SIZE, "%s", profile_names[config->profile]);
    else if (field == HABIT_FIELD_UNIT)
        snprintf(text, CONFIG_FIELD_TEXT_SIZE, "'%.*s'", HABIT_UNIT_SIZE, config->unit);
    else
        snprintf(text, CONFIG_FIELD_TEXT_SIZE, "%.9g", numbers[field]);
    return text;
}

/* ------------------------------------------------------------------------------------------------------------- read */

/* One byte more than may be: a file that is longer shows. */
static int read_all(FILE *file, const char *path, void *bytes, size_t limit, size_t *ret_size)
{
    *ret_size = fread(bytes, 1, limit + 1, file);
    if (ferror(file))
        return complain_errno("read", path);
    if (*ret_size <= limit)
        return 0;
    complain("%s: larger than %zu bytes", path, limit);
    return EXIT_DATA;
}

static int read_file(const char *path, size_t limit, void **ret_bytes, size_t *ret_size)
{
    FILE *file = fopen(path, "rbe");
    void *bytes = file ? malloc(limit + 1) : NULL;
    int r = bytes ? read_all(file, path, bytes, limit, ret_size) : complain_errno("open", path);

    if (file)
        fclose(file);
    if (r == 0)
        *ret_bytes = bytes;
    else
        free(bytes);
    return r;
}

int knowledge_read(const char *path, void **ret_bytes, size_t *ret_size)
{
    return read_file(path, BLOCK_BYTES, ret_bytes, ret_size);
}

int memory_read(const char *path, void **ret_bytes, size_t *ret_size)
{
    return read_file(path, MEMORY_BYTES, ret_bytes, ret_size);
}

/* ------------------------------------------------------------------------------------------------------------- load */

int knowledge_match(const struct habit_config *theirs, const struct habit_config *ours, const char *path)
{
    enum habit_field field = habit_config_compare(theirs, ours);
    char has[CONFIG_FIELD_TEXT_SIZE], asked[CONFIG_FIELD_TEXT_SIZE];

    if (field == HABIT_FIELD_NONE)
        return 0;
    complain("%s: its knowledge is of %s %s, asked for was %s %s", path, habit_field_name(field),
             config_field_text(theirs, field, has), habit_field_name(field), config_field_text(ours, field, asked));
    return EXIT_DATA;
}

static int load_bytes(struct habit_engine *engine, const void *bytes, size_t size, const char *path)
{
    struct habit_info info = { 0 };
    char text[BLOCK_TEXT_SIZE];
    int r = habit_check(bytes, size, &info);

    if (r == HABIT_OK && knowledge_match(&info.config, &engine->config, path) != 0)
        return EXIT_DATA;
    if (r == HABIT_OK)
        r = habit_load(engine, bytes, size);
    if (r == HABIT_OK)
        return 0;
    habit_peek(bytes, size, &info);
    complain("%s: %s", path, block_text(r, &info, text));
    return EXIT_DATA;
}

int knowledge_load(struct habit_engine *engine, const char *path)
{
    void *bytes = NULL;
    size_t size = 0;
    int r;

    if (access(path, F_OK) != 0 && errno == ENOENT)
        return 0;
    r = knowledge_read(path, &bytes, &size);
    if (r == 0)
        r = load_bytes(engine, bytes, size, path);
    free(bytes);
    return r;
}

/* ------------------------------------------------------------------------------------------------------------- save */

int knowledge_save(struct habit_engine *engine, const char *path)
{
    const struct habit_memory *memory = &engine->memory;
    size_t size = habit_knowledge_size(&engine->config);
    struct output_file output = { 0 };
    int r = habit_seal(engine);

    if (r != HABIT_OK) {
        complain("the knowledge cannot be sealed: %s", habit_text(r));
        return EXIT_FAILED;
    }
    r = output_file_open(&output, path);
    if (r != 0)
        return r;
    fwrite(memory->knowledge, 1, size, output.file); /* commit sees its error */
    return output_file_commit(&output);
}
