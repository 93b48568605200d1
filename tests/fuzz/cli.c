/* Any bytes as what the command reads: recordings (raw, CSV, lines of JSON) and memory with knowledge blocks. A refusal says
 * why; what was read and is exported reads as the same. The first bytes choose the reader and the geometry. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "block_search.h"
#include "export_format.h"
#include "file.h"
#include "fuzz.h"
#include "knowledge_file.h"
#include "message.h"
#include "options.h"
#include "recording.h"

/* ------------------------------------------------------------------------------------ in place of cli/message.c: stderr */

static unsigned int complaints;

void complain(const char *format, ...)
{
    char text[1024];
    va_list arguments;

    va_start(arguments, format);
    CLAIM(vsnprintf(text, sizeof(text), format, arguments) > 0);
    if (getenv("FUZZ_ALOUD"))
        fprintf(stderr, "%s\n", text);
    va_end(arguments);
    complaints++;
}

int complain_errno(const char *verb, const char *path)
{
    complain("cannot %s %s", verb, path);
    return EXIT_FAILED;
}

const char *shown(const char *text, char out[SHOWN_SIZE])
{
    snprintf(out, SHOWN_SIZE, "%.30s", text);
    return out;
}

/* -------------------------------------------------------------------------------------------------------- recordings */

static const int64_t from = INT64_C(1795353571000);

static void read_whole(struct recording *recording, const char *name, const struct samples_shape *shape, bool lines,
                       int *ret)
{
    static struct words paths = { .count = 1 };
    double at = (double)from;

    memset(recording, 0, sizeof(*recording));
    complaints = 0;
    if (lines) {
        recording->buffer_size = shape->buffer_size;
        recording->axes = shape->axes;
        *ret = recording_read_lines(recording, name, "", &at, 250);
    } else {
        paths.word[0] = name;
        *ret = recording_read(recording, &paths, shape, "", from, 250);
    }
    CLAIM(*ret == 0 || *ret == EXIT_FAILED || *ret == EXIT_DATA);
    CLAIM((*ret == 0) == (complaints == 0));
}

static char *export(const struct recording *recording, enum export_format format, size_t *size, int *ret)
{
    char *text = NULL;
    FILE *file = open_memstream(&text, size);

    CLAIM(file != NULL);
    complaints = 0;
    *ret = export_write(recording, format, file);
    CLAIM(fclose(file) == 0);
    CLAIM((*ret == 0) == (complaints == 0));
    return text;
}

static void check_again(const struct recording *recording, enum export_format format)
{
    const struct samples_shape shape = { recording->buffer_size, recording->axes, SAMPLES_CSV, 1.0f };
    const size_t values = recording->count * recording->buffer_size * recording->axes;
    struct recording again;
    size_t size;
    int r;
    char *text = export(recording, format, &size, &r);

    CLAIM(r == 0);
    read_whole(&again, fuzz_file(1, text, size), &shape, format == EXPORT_NDJSON, &r);
    CLAIM(r == 0 && again.count == recording->count);
    CLAIM(values == 0 || memcmp(again.samples, recording->samples, values * sizeof(float)) == 0);
    for (size_t i = 0; i < again.count; i++)
        CLAIM(again.at[i] == recording->at[i] || recording->at[i] == 0);
    recording_free(&again);
    free(text);
}

static uint32_t word_at(const char *bytes, size_t at)
{
    uint32_t word = 0;

    for (size_t i = 0; i < 4; i++)
        word |= (uint32_t)(unsigned char)bytes[at + i] << (8 * i);
    return word;
}

/* Sizes and offsets in the files agree with what is there. */
static void check_others(struct recording *recording)
{
    size_t size;
    int r;
    char *bytes;

    recording->sampling_hz = 1600.0f;
    bytes = export(recording, EXPORT_WAV, &size, &r);
    CLAIM(r == 0 && word_at(bytes, 4) == size - 8);
    free(bytes);
    bytes = export(recording, EXPORT_NUMPY, &size, &r);
    CLAIM(r == 0 && word_at(bytes, size - 22) == 0x06054b50u);
    CLAIM((size_t)word_at(bytes, size - 6) + word_at(bytes, size - 10) + 22 == size);
    CLAIM(word_at(bytes, word_at(bytes, size - 6)) == 0x02014b50u);
    free(bytes);
}

static void read_recording(struct fuzz_input *input, enum samples_format format, bool lines)
{
    static const float scales[] = { 1.0f, 0.00048828125f, 1e12f, -3.0f };
    const uint8_t geometry = fuzz_byte(input);
    const struct samples_shape shape = { 1 + geometry % 8, 1 + geometry / 8 % 4, format, scales[geometry / 32 % 4] };
    struct recording recording;
    int r;

    read_whole(&recording, fuzz_file(0, input->at, input->left), &shape, lines, &r);
    if (r == 0 && recording.count > 0) {
        for (size_t i = 0; i < recording.count * shape.buffer_size * shape.axes; i++)
            CLAIM(fabsf(recording.samples[i]) <= 1e15f);
        check_again(&recording, EXPORT_CSV);
        check_again(&recording, EXPORT_NDJSON);
        check_others(&recording);
    }
    recording_free(&recording);
}

/* ------------------------------------------------------------------------------------------------------------- blocks */

static void check_found(const uint8_t *bytes, size_t size, const struct found_block *found, size_t count)
{
    char text[BLOCK_TEXT_SIZE];
    size_t end = 0;

    for (size_t i = 0; i < count; i++) {
        CLAIM(found[i].offset >= end && found[i].offset < size && found[i].result != HABIT_EBLOCK);
        CLAIM(block_text(found[i].result, &found[i].info, text)[0] != '\0');
        end = found[i].offset + 1;
        if (found[i].result != HABIT_OK)
            continue;
        CLAIM(found[i].info.size <= size - found[i].offset);
        CLAIM(habit_check(bytes + found[i].offset, found[i].info.size, NULL) == HABIT_OK);
        end = found[i].offset + found[i].info.size;
    }
}

/* A small block that was honestly made, so that there is something to find. */
static size_t make_block(uint8_t *bytes, size_t room)
{
    const struct habit_config standard = HABIT_CONFIG_DEFAULT;
    struct habit_config config = standard;
    struct fuzz_machine machine;
    size_t size;

    config.buffer_size = 8;
    config.axes = 1;
    config.profile = HABIT_PROFILE_SMALL;
    fuzz_machine_init(&machine, &config);
    size = machine.memory.knowledge_size;
    CLAIM(habit_seal(&machine.engine) == HABIT_OK && size <= room);
    memcpy(bytes, machine.memory.knowledge, size);
    fuzz_machine_deinit(&machine);
    return size;
}

/* The input is the memory around two blocks; its first bytes say what is spoiled of them. */
static void read_memory(struct fuzz_input *input)
{
    static struct found_block found[FOUND_BLOCKS_MAX];
    static uint8_t block[65536];
    static size_t length;
    const size_t spoiled = fuzz_word(input), gap = input->left / 2;
    uint8_t *memory;
    size_t size;

    if (length == 0)
        length = make_block(block, sizeof(block));
    size = input->left + 2 * length;
    memory = malloc(size);
    CLAIM(memory != NULL);
    memcpy(memory, block, length);
    if (gap > 0)
        memcpy(memory + length, input->at, gap);
    memcpy(memory + length + gap, block, length);
    if (input->left > gap)
        memcpy(memory + 2 * length + gap, input->at + gap, input->left - gap);
    if (spoiled % 4 != 0)
        memory[spoiled / 4 % length] ^= (uint8_t)(spoiled % 4);
    check_found(memory, size, found, block_search(memory, size, found));
    if (spoiled % 4 == 0)
        CLAIM(found[0].offset == 0 && found[0].result == HABIT_OK);
    free(memory);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = { data, size };

    switch (fuzz_byte(&input) % 6) {
    case 0:
        read_recording(&input, SAMPLES_F32, false);
        break;
    case 1:
        read_recording(&input, SAMPLES_I16, false);
        break;
    case 2:
    case 3:
        read_recording(&input, SAMPLES_CSV, false);
        break;
    case 4:
        read_recording(&input, SAMPLES_CSV, true);
        break;
    default:
        read_memory(&input);
        break;
    }
    return 0;
}
