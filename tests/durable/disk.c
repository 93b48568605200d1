#include "disk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SECTOR = 512, FILES_EVER = 256, SYNCS_OPEN = 64, NO_FILE = -1 };

/* A write or truncation of a file, or a change of a name. */
struct change {
    size_t at; /* record */
    enum record_kind kind;
    int file; /* for names: the file that the name is of */
    enum object name, new_name;
    uint64_t offset, size;
    const uint8_t *bytes;
};

struct changes {
    struct change *change; /* oldest first; heap */
    size_t count, room;
};

struct disk {
    const uint8_t *bytes;
    size_t size, at, records, position;
    struct image start[OBJECT_COUNT]; /* before the first record */
    struct image file[FILES_EVER];    /* what is synced of each */
    int files;
    int name[OBJECT_COUNT];    /* file of each name, as the program sees it */
    int durable[OBJECT_COUNT]; /* as the disk has it */
    struct changes unsynced;
    struct {
        uint64_t id;
        size_t at;
        int file; /* NO_FILE = the folder */
    } sync[SYNCS_OPEN];
    int syncs;
};

static const char *const words[] = {
#define FATE_WORDS(name, text) text,
    FATES(FATE_WORDS)
#undef FATE_WORDS
};

const char *fate_words(enum fate fate)
{
    return words[fate];
}

static void give_up(const struct disk *disk, const char *why)
{
    fprintf(stderr, "replay: record %zu: %s\n", disk->position, why);
    exit(2);
}

static void *must(void *memory)
{
    if (memory)
        return memory;
    fprintf(stderr, "replay: out of memory\n");
    exit(2);
}

/* ----------------------------------------------------------------------------------------------------------- images */

static void image_resize(struct image *image, size_t size)
{
    if (size > image->room) {
        image->room = size + size / 2;
        image->bytes = must(realloc(image->bytes, image->room));
    }
    if (size > image->size)
        memset(image->bytes + image->size, 0, size - image->size);
    image->size = size;
}

static void image_write(struct image *image, uint64_t offset, const uint8_t *bytes, size_t size)
{
    if (size == 0)
        return;
    if (offset + size > image->size)
        image_resize(image, offset + size);
    memcpy(image->bytes + offset, bytes, size);
}

static void image_copy(struct image *to, const struct image *from)
{
    image_resize(to, 0);
    image_write(to, 0, from->bytes, from->size);
}

void image_free(struct image *image)
{
    free(image->bytes);
    *image = (struct image){ 0 };
}

static void image_change(struct image *image, const struct change *change)
{
    if (change->kind == RECORD_TRUNCATE)
        image_resize(image, change->offset);
    else
        image_write(image, change->offset, change->bytes, change->size);
}

/* ------------------------------------------------------------------------------------------------------------ names */

static void names_change(int name[OBJECT_COUNT], const struct change *change)
{
    if (change->kind == RECORD_RENAME)
        name[change->new_name] = name[change->name];
    name[change->name] = change->kind == RECORD_CREATE ? change->file : NO_FILE;
}

static bool is_of_names(const struct change *change)
{
    return change->kind == RECORD_CREATE || change->kind == RECORD_UNLINK || change->kind == RECORD_RENAME;
}

/* --------------------------------------------------------------------------------------------------- the recording */

static size_t count_records(const uint8_t *bytes, size_t size)
{
    struct record head;
    size_t count = 0;

    for (size_t at = 0; at + sizeof(head) <= size; count++) {
        memcpy(&head, bytes + at, sizeof(head));
        at += sizeof(head) + head.size;
    }
    return count;
}

struct disk *disk_new(const uint8_t *bytes, size_t size)
{
    struct disk *disk = must(calloc(1, sizeof(*disk)));

    disk->bytes = bytes;
    disk->size = size;
    disk->records = count_records(bytes, size);
    disk_rewind(disk);
    return disk;
}

struct disk *disk_free(struct disk *disk)
{
    disk_rewind(disk);
    for (int i = 0; i < OBJECT_COUNT; i++) {
        image_free(&disk->start[i]);
        image_free(&disk->file[i]);
    }
    free(disk->unsynced.change);
    free(disk);
    return NULL;
}

void disk_rewind(struct disk *disk)
{
    for (int i = 0; i < disk->files; i++)
        image_free(&disk->file[i]);
    for (int i = 0; i < OBJECT_COUNT; i++)
        disk->name[i] = disk->durable[i] = NO_FILE;
    disk->at = disk->position = disk->unsynced.count = 0;
    disk->files = disk->syncs = 0;
    for (int i = 0; i < OBJECT_COUNT; i++) {
        if (!disk->start[i].exists)
            continue;
        image_copy(&disk->file[disk->files], &disk->start[i]);
        disk->name[i] = disk->durable[i] = disk->files++;
    }
}

void disk_begin(struct disk *disk, const struct image *images)
{
    for (int i = 0; i < OBJECT_COUNT; i++) {
        disk->start[i].exists = images[i].exists;
        if (images[i].exists)
            image_copy(&disk->start[i], &images[i]);
    }
    disk_rewind(disk);
}

size_t disk_records(const struct disk *disk)
{
    return disk->records;
}

size_t disk_position(const struct disk *disk)
{
    return disk->position;
}

static void add_change(struct disk *disk, const struct record *head, const uint8_t *bytes)
{
    struct changes *unsynced = &disk->unsynced;
    struct change change = { .at = disk->position,
                             .kind = head->kind,
                             .name = head->object,
                             .new_name = (enum object)head->offset,
                             .offset = head->offset,
                             .size = head->size,
                             .bytes = bytes };

    if (head->kind == RECORD_CREATE) {
        if (disk->files == FILES_EVER)
            give_up(disk, "too many files");
        disk->name[head->object] = disk->files++;
    }
    change.file = disk->name[head->object];
    if (change.file == NO_FILE)
        give_up(disk, "a file that is not there");
    if (is_of_names(&change))
        names_change(disk->name, &change);
    if (unsynced->count == unsynced->room) {
        unsynced->room = 2 * unsynced->room + 64;
        unsynced->change = must(realloc(unsynced->change, unsynced->room * sizeof(change)));
    }
    unsynced->change[unsynced->count++] = change;
}

static void begin_sync(struct disk *disk, const struct record *head)
{
    int file = head->object == OBJECT_FOLDER ? NO_FILE : disk->name[head->object];

    if (disk->syncs == SYNCS_OPEN)
        give_up(disk, "too many syncs under way");
    disk->sync[disk->syncs].id = head->id;
    disk->sync[disk->syncs].at = disk->position;
    disk->sync[disk->syncs++].file = file;
}

/* What was there when a sync began is on the disk when it is over. */
static void make_durable(struct disk *disk, int file, size_t before)
{
    struct changes *unsynced = &disk->unsynced;
    size_t kept = 0;

    for (size_t i = 0; i < unsynced->count; i++) {
        const struct change *change = &unsynced->change[i];
        bool of_this = is_of_names(change) ? file == NO_FILE : file == change->file;

        if (!of_this || change->at >= before)
            unsynced->change[kept++] = *change;
        else if (file == NO_FILE)
            names_change(disk->durable, change);
        else
            image_change(&disk->file[file], change);
    }
    unsynced->count = kept;
}

static void end_sync(struct disk *disk, const struct record *head)
{
    for (int i = 0; i < disk->syncs; i++)
        if (disk->sync[i].id == head->id) {
            make_durable(disk, disk->sync[i].file, disk->sync[i].at);
            disk->sync[i] = disk->sync[--disk->syncs];
            return;
        }
    give_up(disk, "the end of a sync that never began");
}

void disk_step(struct disk *disk)
{
    const uint8_t *bytes = disk->bytes + disk->at + sizeof(struct record);
    struct record head;

    if (disk->at + sizeof(head) > disk->size)
        give_up(disk, "behind the end");
    memcpy(&head, disk->bytes + disk->at, sizeof(head));
    if (head.kind < RECORD_CREATE || head.kind > RECORD_UNSENT || head.object >= OBJECT_COUNT ||
        head.size > disk->size - disk->at - sizeof(head))
        give_up(disk, "not a record");
    if (head.kind <= RECORD_RENAME)
        add_change(disk, &head, bytes);
    else if (head.kind == RECORD_SYNC)
        begin_sync(disk, &head);
    else if (head.kind == RECORD_SYNCED)
        end_sync(disk, &head);
    disk->at += sizeof(head) + head.size;
    disk->position++;
}

/* ------------------------------------------------------------------------------------------------------------- cuts */

/* splitmix64 */
static uint64_t draw(uint64_t *chance)
{
    uint64_t z = *chance += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static size_t draw_below(uint64_t *chance, size_t n)
{
    return n == 0 ? 0 : (size_t)(draw(chance) % n);
}

struct cut {
    enum fate fate;
    size_t chosen; /* how many came first, or which one */
    uint64_t *chance;
};

enum part { PART_NONE, PART_WHOLE, PART_TORN };

static enum part some(struct cut *cut, bool torn)
{
    uint64_t drawn = draw(cut->chance);

    if (drawn & 1)
        return PART_NONE;
    return torn && (drawn & 2) ? PART_TORN : PART_WHOLE;
}

static enum part part_of(struct cut *cut, size_t i)
{
    switch (cut->fate) {
    case FATE_NOTHING:
        return PART_NONE;
    case FATE_FIRST:
        return i < cut->chosen ? PART_WHOLE : PART_NONE;
    case FATE_FIRST_TORN:
        return i < cut->chosen ? PART_WHOLE : i == cut->chosen ? PART_TORN : PART_NONE;
    case FATE_ONE:
        return i == cut->chosen ? PART_WHOLE : PART_NONE;
    case FATE_ALL_BUT_ONE:
        return i == cut->chosen ? PART_NONE : PART_WHOLE;
    case FATE_SOME:
        return some(cut, false);
    case FATE_SOME_TORN:
    case FATE_SOME_STALE:
        return some(cut, true);
    default:
        return PART_WHOLE;
    }
}

/* Where a file grew, the disk may know the new size and not yet the bytes. */
static void grow(struct cut *cut, struct image *image, size_t size)
{
    size_t old = image->size;

    if (size <= old)
        return;
    image_resize(image, size);
    if (cut->fate == FATE_SOME_STALE)
        for (size_t i = old; i < size; i++)
            image->bytes[i] = (uint8_t)draw(cut->chance);
}

/* Some sectors of a write: the first ones, or any. */
static void tear(struct cut *cut, struct image *image, const struct change *change)
{
    size_t sectors = (change->size + SECTOR - 1) / SECTOR, first = draw_below(cut->chance, sectors);
    uint64_t any = cut->fate == FATE_FIRST_TORN ? 0 : draw(cut->chance);

    if (draw(cut->chance) & 1)
        grow(cut, image, change->offset + change->size);
    for (size_t i = 0; i < sectors; i++) {
        size_t from = i * SECTOR, left = change->size - from, size = left < SECTOR ? left : SECTOR;

        if (any != 0 ? any >> (i % 64) & 1 : i < first) {
            grow(cut, image, change->offset + from + size);
            image_write(image, change->offset + from, change->bytes + from, size);
        }
    }
}

static void apply(struct cut *cut, const struct change *change, enum part part, struct image *files,
                  int name[OBJECT_COUNT])
{
    if (part == PART_NONE)
        return;
    if (is_of_names(change))
        names_change(name, change);
    else if (part == PART_TORN && change->kind == RECORD_WRITE)
        tear(cut, &files[change->file], change);
    else
        image_change(&files[change->file], change);
}

/* Only files that a name may still lead to are copied. */
static bool is_needed(const struct disk *disk, int file)
{
    for (int i = 0; i < OBJECT_COUNT; i++)
        if (disk->durable[i] == file || disk->name[i] == file)
            return true;
    for (size_t i = 0; i < disk->unsynced.count; i++)
        if (disk->unsynced.change[i].file == file)
            return true;
    return false;
}

void disk_cut(const struct disk *disk, enum fate fate, uint64_t *chance, struct image *images)
{
    struct cut cut = { .fate = fate, .chosen = draw_below(chance, disk->unsynced.count), .chance = chance };
    struct image *files = must(calloc(FILES_EVER, sizeof(*files)));
    int name[OBJECT_COUNT];

    memcpy(name, disk->durable, sizeof(name));
    for (int i = 0; i < disk->files; i++)
        if (is_needed(disk, i))
            image_copy(&files[i], &disk->file[i]);
    for (size_t i = 0; i < disk->unsynced.count; i++)
        apply(&cut, &disk->unsynced.change[i], part_of(&cut, i), files, name);
    for (int i = 0; i < OBJECT_COUNT; i++) {
        images[i].exists = name[i] != NO_FILE;
        if (images[i].exists)
            image_copy(&images[i], &files[name[i]]);
    }
    for (int i = 0; i < disk->files; i++)
        image_free(&files[i]);
    free(files);
}
