/* habit convert: knowledge from a memory dump or the gateway, as a block, as a C header, or as a binary to flash. */
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "block_header.h"
#include "block_search.h"
#include "commands.h"
#include "knowledge_file.h"
#include "message.h"
#include "output_file.h"

enum form { FORM_BLOCK, FORM_HEADER, FORM_FLASH };
enum { PAD_DEFAULT = 32 }; /* the largest program unit of flash in common use */

struct convert_settings {
    struct words files;
    const char *output, *name;
    unsigned int form;
    uint64_t pad, at; /* at: NOWHERE = the only block there is */
    /* what the block must be of; 0, a negative number, HABIT_PROFILES or NULL where it does not matter */
    uint64_t buffer_size, axes;
    double sampling_hz, scale;
    unsigned int profile;
    const char *unit;
};

#define NOWHERE UINT64_MAX

#define ROW(kind, key, field, value, low, high, help)                                               \
    {                                                                                               \
        OPTION_##kind, false, key, offsetof(struct convert_settings, field), value, low, high, help \
    }

static const struct option_row rows[] = {
    { OPTION_OPERANDS, true, "", offsetof(struct convert_settings, files), "FILE", 1, 1,
      "a block, or memory with one" },
    ROW(TEXT, "output", output, "FILE", 0, 0, "what to write; without it the blocks in FILE are listed"),
    ROW(CHOICE, "as", form, "block|header|flash", 0, 0, "as it is, as a C header, or padded with 0xff; default block"),
    ROW(TEXT, "name", name, "NAME", 0, 0, "of the array in the C header; default knowledge"),
    ROW(UNSIGNED, "pad", pad, "BYTES", 1, 65536, "a flash binary is a multiple of this long; default 32"),
    ROW(UNSIGNED, "at", at, "OFFSET", 0, 1e15, "take the block that begins here; needed where there are several"),
    ROW(UNSIGNED, "buffer-size", buffer_size, "N", 1, HABIT_MAX_BUFFER_SIZE, "refuse a block of another one"),
    ROW(UNSIGNED, "axes", axes, "A", 1, HABIT_MAX_AXES, "the same"),
    ROW(NUMBER, "sampling-hz", sampling_hz, "F", 0, 1e7, "the same"),
    ROW(TEXT, "unit", unit, "U", 0, 0, "the same"),
    ROW(NUMBER, "scale", scale, "S", 1e-12, 1e12, "the same"),
    ROW(CHOICE, "profile", profile, PROFILE_CHOICES, 0, 0, "the same"),
    { .type = OPTION_END },
};

/* A file in memory, and the blocks in it. */
struct memory {
    const char *path;
    void *bytes;
    size_t size, count;
    struct found_block found[FOUND_BLOCKS_MAX];
};

/* ----------------------------------------------------------------------------------------------------------- the list */

static void list(const struct memory *memory)
{
    for (size_t i = 0; i < memory->count; i++) {
        const struct found_block *block = &memory->found[i];
        const struct habit_config *config = &block->info.config;
        char text[BLOCK_TEXT_SIZE];

        if (block->result == HABIT_OK)
            printf("offset %zu: %u bytes, %u samples x %u axes, %u buffers learned, crc %08x\n", block->offset,
                   block->info.size, config->buffer_size, config->axes, block->info.learned, block->info.crc);
        else
            printf("offset %zu: %s\n", block->offset, block_text(block->result, &block->info, text));
    }
}

/* ------------------------------------------------------------------------------------------------------------- choose */

static int refuse_found(const struct memory *memory, const struct found_block *block)
{
    char text[BLOCK_TEXT_SIZE];

    complain("%s: at offset %zu: %s%s", memory->path, block->offset, block_text(block->result, &block->info, text),
             block->result == HABIT_EUNSEALED ? "; call habit_seal() before the memory is read" : "");
    return EXIT_DATA;
}

static int choose_at(const struct memory *memory, uint64_t at, const struct found_block **ret_block)
{
    for (size_t i = 0; i < memory->count; i++)
        if (memory->found[i].offset == at) {
            *ret_block = &memory->found[i];
            return (*ret_block)->result == HABIT_OK ? 0 : refuse_found(memory, *ret_block);
        }
    complain("%s: there is no knowledge block at offset %" PRIu64, memory->path, at);
    return EXIT_DATA;
}

static bool same(const struct memory *memory, const struct found_block *a, const struct found_block *b)
{
    const char *bytes = memory->bytes;

    return a->info.size == b->info.size && memcmp(bytes + a->offset, bytes + b->offset, a->info.size) == 0;
}

/* The only sound block; copies of it, as in RAM and in flash, do not matter. */
static int choose_only(const struct memory *memory, const struct found_block **ret_block)
{
    const struct found_block *chosen = NULL;

    for (size_t i = 0; i < memory->count; i++) {
        const struct found_block *block = &memory->found[i];

        if (block->result != HABIT_OK || (chosen && same(memory, chosen, block)))
            continue;
        if (chosen) {
            complain("%s: different knowledge blocks at offsets %zu and %zu: choose one by --at", memory->path,
                     chosen->offset, block->offset);
            return EXIT_DATA;
        }
        chosen = block;
    }
    *ret_block = chosen;
    if (chosen)
        return 0;
    if (memory->count > 0)
        return refuse_found(memory, &memory->found[0]);
    complain("%s: no knowledge block in %zu bytes", memory->path, memory->size);
    return EXIT_DATA;
}

/* What the options say, and where they say nothing what the block says. */
static struct habit_config wanted(const struct convert_settings *settings, const struct habit_config *config)
{
    struct habit_config made = *config;

    if (settings->buffer_size > 0)
        made.buffer_size = (uint16_t)settings->buffer_size;
    if (settings->axes > 0)
        made.axes = (uint8_t)settings->axes;
    if (settings->sampling_hz >= 0)
        made.sampling_hz = (float)settings->sampling_hz;
    if (settings->scale >= 0)
        made.scale = (float)settings->scale;
    if (settings->profile < HABIT_PROFILES)
        made.profile = (uint8_t)settings->profile;
    if (settings->unit) {
        memset(made.unit, 0, sizeof(made.unit));
        memcpy(made.unit, settings->unit, strlen(settings->unit));
    }
    return made;
}

static int choose(const struct memory *memory, const struct convert_settings *settings,
                  const struct found_block **ret_block)
{
    struct habit_config config;
    int r = settings->at == NOWHERE ? choose_only(memory, ret_block) : choose_at(memory, settings->at, ret_block);

    if (r != 0)
        return r;
    config = wanted(settings, &(*ret_block)->info.config);
    return knowledge_match(&(*ret_block)->info.config, &config, memory->path);
}

/* -------------------------------------------------------------------------------------------------------------- write */

static void write_flash(FILE *file, const uint8_t *bytes, size_t size, size_t pad)
{
    fwrite(bytes, 1, size, file);
    for (; size % pad != 0; size++)
        fputc(0xff, file);
}

static int write_block(const struct convert_settings *settings, const uint8_t *bytes, const struct habit_info *info)
{
    struct output_file output = { 0 };
    int r = output_file_open(&output, settings->output);

    if (r != 0)
        return r;
    if (settings->form == FORM_HEADER)
        block_header_write(output.file, settings->name, bytes, info);
    else
        write_flash(output.file, bytes, info->size, settings->form == FORM_FLASH ? (size_t)settings->pad : 1);
    return output_file_commit(&output); /* which sees the errors of writing */
}

/* ---------------------------------------------------------------------------------------------------------------- run */

static int convert(const struct convert_settings *settings)
{
    struct memory *memory = calloc(1, sizeof(*memory));
    const struct found_block *block = NULL;
    int r;

    if (!memory)
        return complain_errno("hold", "the list of blocks");
    memory->path = settings->files.word[0];
    r = memory_read(memory->path, &memory->bytes, &memory->size);
    if (r == 0) {
        memory->count = block_search(memory->bytes, memory->size, memory->found);
        if (!settings->output)
            list(memory);
        if (settings->output || memory->count == 0)
            r = choose(memory, settings, &block);
    }
    if (block && r == 0)
        r = write_block(settings, (const uint8_t *)memory->bytes + block->offset, &block->info);
    free(memory->bytes);
    free(memory);
    return r;
}

static int run(const struct command *command, int argc, char **argv)
{
    struct convert_settings settings = {
        .name = "knowledge",
        .pad = PAD_DEFAULT,
        .at = NOWHERE,
        .sampling_hz = -1,
        .scale = -1,
        .profile = HABIT_PROFILES,
    };
    int code;

    if (!options_read(command, &settings, argc, argv, &code))
        return code;
    if (!block_header_name_valid(settings.name))
        return options_refuse(command, "--name: '%s' is not a name in C", settings.name);
    if (settings.unit && strlen(settings.unit) > HABIT_UNIT_SIZE)
        return options_refuse(command, "--unit: '%s' is longer than %d characters", settings.unit, HABIT_UNIT_SIZE);
    return convert(&settings);
}

const struct command convert_command = {
    .name = "convert",
    .synopsis = "FILE [--output FILE [--as block|header|flash]] [options]",
    .summary = "takes knowledge out of a memory dump, or makes a C header or a binary to flash of it",
    .details = "FILE is a knowledge block, as GET /v1/machines/{id}/knowledge gives it, or any memory that holds one, "
               "such as\n"
               "a dump of a board's RAM or flash.",
    .options = rows,
    .run = run,
};
