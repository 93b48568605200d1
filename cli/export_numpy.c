/* Recordings for NumPy: an .npz, which is a ZIP of arrays, each with its .npy header. Nothing is compressed.
 *
 * samples      float32 (buffers, buffer_size, axes)
 * time         datetime64[ms] (buffers), UTC
 * anomaly      int64 (buffers), 0 = none
 * sampling_hz  float64, 0 = unknown
 * unit, machine  text */
#include <stdlib.h>
#include <string.h>

#include "export_format.h"
#include "little_endian.h"
#include "message.h"

enum { MEMBERS = 6, TEXT_ROOM = 80 };

struct member {
    const char *name;
    char *bytes;
    size_t size;
    uint32_t crc, offset;
};

/* ------------------------------------------------------------------------------------------------------------- arrays */

/* The header is padded so that the data begin at a multiple of 64. */
static void put_array_header(FILE *file, const char *type, const char *shape)
{
    char dictionary[160];
    size_t size = (size_t)snprintf(dictionary, sizeof(dictionary),
                                   "{'descr': '%s', 'fortran_order': False, 'shape': (%s), }", type, shape);
    size_t padded = (10 + size + 1 + 63) / 64 * 64 - 10;

    fwrite("\x93NUMPY\x01\x00", 1, 8, file);
    put_u16(file, (uint16_t)padded);
    fprintf(file, "%s%*s\n", dictionary, (int)(padded - size - 1), "");
}

static void put_samples(const struct recording *recording, FILE *file)
{
    size_t count = recording->count * recording->buffer_size * recording->axes;
    char shape[80];

    snprintf(shape, sizeof(shape), "%zu, %u, %u", recording->count, recording->buffer_size, recording->axes);
    put_array_header(file, "<f4", shape);
    for (size_t i = 0; i < count; i++)
        put_f32(file, recording->samples[i]);
}

static void put_integers(const struct recording *recording, const char *type, const int64_t *numbers, FILE *file)
{
    char shape[32];

    snprintf(shape, sizeof(shape), "%zu,", recording->count);
    put_array_header(file, type, shape);
    for (size_t i = 0; i < recording->count; i++)
        put_u64(file, (uint64_t)numbers[i]);
}

static void put_times(const struct recording *recording, FILE *file)
{
    put_integers(recording, "<M8[ms]", recording->at, file);
}

static void put_anomalies(const struct recording *recording, FILE *file)
{
    put_integers(recording, "<i8", recording->anomaly, file);
}

static void put_rate(const struct recording *recording, FILE *file)
{
    double rate = (double)recording->sampling_hz;
    uint64_t bits;

    put_array_header(file, "<f8", "");
    memcpy(&bits, &rate, sizeof(bits));
    put_u64(file, bits);
}

/* Texts of ours are ASCII; what is not becomes '?'. */
static void put_text(const char *text, FILE *file)
{
    char type[32];
    size_t length = strlen(text);

    snprintf(type, sizeof(type), "<U%zu", length > 0 ? length : 1);
    put_array_header(file, type, "");
    for (size_t i = 0; i < (length > 0 ? length : 1); i++)
        put_u32(file, (unsigned char)text[i] < 0x80 ? (unsigned char)text[i] : '?');
}

static void put_unit(const struct recording *recording, FILE *file)
{
    put_text(recording->unit, file);
}

static void put_machine(const struct recording *recording, FILE *file)
{
    put_text(recording->machine, file);
}

static const struct {
    const char *name;
    void (*put)(const struct recording *recording, FILE *file);
} arrays[MEMBERS] = {
    { "samples.npy", put_samples },  { "time.npy", put_times }, { "anomaly.npy", put_anomalies },
    { "sampling_hz.npy", put_rate }, { "unit.npy", put_unit },  { "machine.npy", put_machine },
};

/* ---------------------------------------------------------------------------------------------------------------- ZIP */

static uint32_t checksum(const char *bytes, size_t size)
{
    uint32_t crc = 0xffffffff;

    for (size_t i = 0; i < size; i++) {
        crc ^= (unsigned char)bytes[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (0xedb88320 & -(crc & 1));
    }
    return ~crc;
}

/* What the header of a member and the directory at the end have in common. */
static void put_about(FILE *file, const struct member *member)
{
    put_u16(file, 20); /* version needed: 2.0 */
    put_u16(file, 0);
    put_u16(file, 0); /* stored */
    put_u16(file, 0);
    put_u16(file, 1 << 5 | 1); /* 1980-01-01: the same recording gives the same file */
    put_u32(file, member->crc);
    put_u32(file, (uint32_t)member->size);
    put_u32(file, (uint32_t)member->size);
    put_u16(file, (uint16_t)strlen(member->name));
    put_u16(file, 0);
}

static void put_member(FILE *file, const struct member *member)
{
    fwrite("PK\x03\x04", 1, 4, file);
    put_about(file, member);
    fputs(member->name, file);
    fwrite(member->bytes, 1, member->size, file);
}

static void put_entry(FILE *file, const struct member *member)
{
    fwrite("PK\x01\x02", 1, 4, file);
    put_u16(file, 20);
    put_about(file, member);
    put_u16(file, 0);
    put_u16(file, 0);
    put_u16(file, 0);
    put_u32(file, 0);
    put_u32(file, member->offset);
    fputs(member->name, file);
}

static void put_archive(FILE *file, struct member members[MEMBERS])
{
    uint32_t offset = 0, directory = 0;

    for (int i = 0; i < MEMBERS; i++) {
        members[i].offset = offset;
        put_member(file, &members[i]);
        offset += (uint32_t)(30 + strlen(members[i].name) + members[i].size);
    }
    for (int i = 0; i < MEMBERS; i++) {
        put_entry(file, &members[i]);
        directory += (uint32_t)(46 + strlen(members[i].name));
    }
    fwrite("PK\x05\x06", 1, 4, file);
    put_u32(file, 0);
    put_u16(file, MEMBERS);
    put_u16(file, MEMBERS);
    put_u32(file, directory);
    put_u32(file, offset);
    put_u16(file, 0);
}

static int make_member(const struct recording *recording, int i, struct member *member)
{
    FILE *file = open_memstream(&member->bytes, &member->size);

    member->name = arrays[i].name;
    if (!file)
        return complain_errno("hold", member->name);
    arrays[i].put(recording, file);
    if (fclose(file) != 0)
        return complain_errno("hold", member->name);
    member->crc = checksum(member->bytes, member->size);
    return 0;
}

int export_numpy(const struct recording *recording, FILE *file)
{
    struct member members[MEMBERS] = { 0 };
    double all = (double)recording->count * recording->buffer_size * recording->axes;
    int r = 0;

    if (all > 5e8) {
        complain("%.0f values are too many for one .npz", all);
        return EXIT_DATA;
    }
    for (int i = 0; r == 0 && i < MEMBERS; i++)
        r = make_member(recording, i, &members[i]);
    if (r == 0)
        put_archive(file, members);
    for (int i = 0; i < MEMBERS; i++)
        free(members[i].bytes);
    return r;
}
