#include "block_header.h"

#include <ctype.h>
#include <string.h>

#include "knowledge_file.h"

enum { NAME_SIZE = 64, WORDS_A_LINE = 8 };

/* Digits and letters of ASCII only, whatever the locale. */
static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool block_header_name_valid(const char *name)
{
    size_t length = strlen(name);

    if (length == 0 || length >= NAME_SIZE || !is_letter(name[0]))
        return false;
    for (size_t i = 0; i < length; i++)
        if (!is_letter(name[i]) && name[i] != '_' && !(name[i] >= '0' && name[i] <= '9'))
            return false;
    return true;
}

/* As a string of C; what could end it, or begin something else, is escaped. */
static void write_unit(FILE *file, const char *unit)
{
    fputc('"', file);
    for (size_t i = 0; i < HABIT_UNIT_SIZE && unit[i] != '\0'; i++)
        fprintf(file, strchr("\"\\?", unit[i]) ? "\\%c" : "%c", unit[i]);
    fputc('"', file);
}

/* Nine digits bring every float back to the bit. */
static void write_config(FILE *file, const char *upper, const struct habit_config *config)
{
    fprintf(file, "#define %s_CONFIG \\\n", upper);
    fprintf(file, "    { .buffer_size = %u, .axes = %u, .profile = %u, .sampling_hz = %.8ef, .scale = %.8ef, .unit = ",
            config->buffer_size, config->axes, config->profile, (double)config->sampling_hz, (double)config->scale);
    write_unit(file, config->unit);
    fprintf(file, " }\n\n");
}

static uint32_t word_at(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

static void write_words(FILE *file, const uint8_t *bytes, uint32_t size)
{
    for (uint32_t at = 0; at < size; at += 4) {
        fputs(at % (4 * WORDS_A_LINE) == 0 ? "\n   " : "", file);
        fprintf(file, " 0x%08xu,", word_at(bytes + at));
    }
}

void block_header_write(FILE *file, const char *name, const uint8_t *bytes, const struct habit_info *info)
{
    const struct habit_config *config = &info->config;
    char upper[NAME_SIZE] = "";

    for (size_t i = 0; name[i] != '\0'; i++)
        upper[i] = (char)toupper((unsigned char)name[i]);
    fprintf(
        file,
        "/* Knowledge for habit_load(), made by `habit convert`: %u samples x %u axes, profile %s, learned from %u\n"
        " * buffers, CRC32C %08x. Do not edit: a changed block is refused. */\n"
        "#ifndef HABIT_BLOCK_%s_H\n#define HABIT_BLOCK_%s_H\n\n"
        "#include <assert.h>\n#include <stdint.h>\n\n#include \"habit/engine.h\"\n\n",
        config->buffer_size, config->axes, profile_names[config->profile], info->learned, info->crc, upper, upper);
    fprintf(file, "#define %s_SIZE %uu /* bytes */\n", upper, info->size);
    fprintf(file, "#define %s_BUFFER_SIZE %u\n#define %s_AXES %u\n#define %s_PROFILE %u\n\n", upper,
            config->buffer_size, upper, config->axes, upper, config->profile);
    fprintf(file, "/* Of the sensor that was learned: an engine with another one refuses the block. */\n");
    write_config(file, upper, config);
    fprintf(
        file,
        "static_assert(HABIT_FORMAT_VERSION == %u, \"%s is a knowledge block of format version %u, the library reads "
        "another\");\n\n",
        info->format, name, info->format);
    fprintf(file, "static const uint32_t %s[%s_SIZE / 4] = { /* little-endian words */", name, upper);
    write_words(file, bytes, info->size);
    fprintf(file, "\n};\n\n#endif\n");
}
