/* replay RECORDING EXPECTED MACHINE.SQL FOLDER STATES SEED [AGAIN]
 *
 * Rebuilds as many different disks as asked for that a power cut could have left during a recording (disk.h), opens each with
 * habitd's own recovery (check.h), and prints what it found:
 *
 *   states 2000 fine 2000 unreadable 0 corrupt 0 lost 0 mixed 0 records 5310 recoveries 0
 *
 * With AGAIN, STATES are disks that two cuts have left: of every disk after one cut the recovery is recorded (second.h), and cut at
 * up to AGAIN places and at its end; the disks after one cut are not counted.
 *
 * Status: 0 = all fine, 1 = not all, 2 = could not do it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "disk.h"
#include "second.h"

enum { TABLE = 1 << 17, TRIES = 4, EXAMPLES = 5, ROUNDS = 200 };

struct replay {
    struct disk *disk;
    struct expected *expected;
    char *sql;
    const char *folder;
    uint64_t chance, seen[TABLE]; /* hashes of states that were checked */
    size_t wanted, states, of[FINDING_COUNT];
    size_t again, recoveries; /* cuts of each recovery, 0 = none are cut; how many were */
    struct image images[OBJECT_COUNT];
};

/* Nothing here needs to outlive the program: habitd's recovery need not wait for a disk. */
int fdatasync(int fd)
{
    (void)fd;
    return 0;
}

static uint64_t hash(uint64_t seed, const uint8_t *bytes, size_t size)
{
    uint64_t value = seed ^ UINT64_C(0xcbf29ce484222325), word;

    for (; size >= sizeof(word); size -= sizeof(word), bytes += sizeof(word)) {
        memcpy(&word, bytes, sizeof(word));
        value = (value ^ word) * UINT64_C(0x9e3779b97f4a7c15);
        value ^= value >> 29;
    }
    for (; size > 0; size--)
        value = (value ^ *bytes++) * UINT64_C(0x100000001b3);
    return value;
}

/* Whether this disk, with this much told, was not seen yet. */
static bool is_new(struct replay *replay, const struct image *images)
{
    uint64_t value = expected_told(replay->expected, disk_position(replay->disk)) + 1;
    size_t place;

    for (int i = 0; i < OBJECT_COUNT; i++)
        if (images[i].exists)
            value = hash(value + (uint64_t)i, images[i].bytes, images[i].size);
    value |= 1; /* 0 = free */
    for (place = value % TABLE; replay->seen[place] != 0; place = (place + 1) % TABLE)
        if (replay->seen[place] == value)
            return false;
    replay->seen[place] = value;
    return true;
}

/* when: words behind "power cut". */
static void check(struct replay *replay, const struct image *images, enum fate fate, const char *when)
{
    char why[WHY_SIZE] = "";
    enum finding found =
        check_cut(replay->expected, replay->sql, replay->folder, images, disk_position(replay->disk), why);

    replay->states++;
    replay->of[found]++;
    if (found != FOUND_FINE && replay->states - replay->of[FOUND_FINE] <= EXAMPLES)
        printf("power cut before record %zu%s, %s: %s: %s\n", disk_position(replay->disk), when, fate_words(fate),
               finding_words(found), why);
}

/* One state of a recovery at this place, if there is one that is new. */
static void cut_recovery_here(struct replay *replay, const struct disk *disk, size_t turn, struct image *images)
{
    char when[80];

    snprintf(when, sizeof(when), ", and before record %zu of the recovery", disk_position(disk));
    for (size_t i = 0; i < TRIES; i++) {
        enum fate fate = (enum fate)((turn + i) % FATE_COUNT);

        disk_cut(disk, fate, &replay->chance, images);
        if (is_new(replay, images)) {
            check(replay, images, fate, when);
            return;
        }
    }
}

/* From the first record of what the recovery wrote to the last. */
static void cut_recovery(struct replay *replay)
{
    struct image images[OBJECT_COUNT] = { 0 };
    const uint8_t *bytes;
    size_t size;
    struct disk *disk = second_disk(replay->folder, replay->images, &bytes, &size);
    size_t records = disk_records(disk), stride = records / replay->again + 1;

    for (size_t i = 0; i <= records && replay->states < replay->wanted; i++) {
        if ((i + replay->recoveries) % stride == 0)
            cut_recovery_here(replay, disk, i + replay->recoveries, images);
        if (i < records)
            disk_step(disk);
    }
    for (size_t i = 0; i < FATE_COUNT && replay->states < replay->wanted;
         i++) /* the end, where what was recovered from goes, has all of them */
        cut_recovery_here(replay, disk, i, images);
    replay->recoveries++;
    for (int i = 0; i < OBJECT_COUNT; i++)
        image_free(&images[i]);
    second_free(disk, bytes, size);
}

/* One state at this place, if there is one that is new. */
static void cut_here(struct replay *replay, size_t turn)
{
    for (size_t i = 0; i < TRIES; i++) {
        enum fate fate = (enum fate)((turn + i) % FATE_COUNT);

        disk_cut(replay->disk, fate, &replay->chance, replay->images);
        if (!is_new(replay, replay->images))
            continue;
        if (replay->again > 0)
            cut_recovery(replay);
        else
            check(replay, replay->images, fate, "");
        return;
    }
}

/* From the first record to the last, at places that differ from round to round. */
static void go_through(struct replay *replay, size_t round)
{
    size_t cuts = replay->wanted / (replay->again > 0 ? replay->again : 1) + 1;
    size_t records = disk_records(replay->disk), stride = records / cuts + 1;

    disk_rewind(replay->disk);
    for (size_t i = 0; i <= records && replay->states < replay->wanted; i++) {
        if ((i + round) % stride == 0)
            cut_here(replay, i / stride + round);
        if (i < records)
            disk_step(replay->disk);
    }
}

static int run(struct replay *replay)
{
    for (size_t round = 0; round < ROUNDS && replay->states < replay->wanted; round++)
        go_through(replay, round);
    printf("states %zu fine %zu unreadable %zu corrupt %zu lost %zu mixed %zu records %zu recoveries %zu\n",
           replay->states, replay->of[FOUND_FINE], replay->of[FOUND_UNREADABLE], replay->of[FOUND_CORRUPT],
           replay->of[FOUND_LOST], replay->of[FOUND_MIXED], disk_records(replay->disk), replay->recoveries);
    if (replay->states < replay->wanted)
        fprintf(stderr, "replay: there are no more than %zu different states\n", replay->states);
    return replay->states < replay->wanted ? 2 : replay->of[FOUND_FINE] == replay->states ? 0 : 1;
}

int main(int argc, char **argv)
{
    static struct replay replay;
    const uint8_t *bytes, *sql;
    size_t size, sql_size;
    int status;

    if (argc != 7 && argc != 8) {
        fprintf(stderr, "usage: replay RECORDING EXPECTED MACHINE.SQL FOLDER STATES SEED [AGAIN]\n");
        return 2;
    }
    bytes = map_file(argv[1], &size);
    sql = map_file(argv[3], &sql_size);
    replay.disk = disk_new(bytes, size);
    replay.expected = expected_read(argv[2]);
    replay.sql = strndup((const char *)sql, sql_size);
    replay.folder = argv[4];
    replay.wanted = strtoul(argv[5], NULL, 10);
    replay.chance = strtoul(argv[6], NULL, 10);
    replay.again = argc == 8 ? strtoul(argv[7], NULL, 10) : 0;
    if (replay.wanted == 0 || replay.wanted > TABLE / 2) {
        fprintf(stderr, "replay: 1 to %d states\n", TABLE / 2);
        return 2;
    }
    status = run(&replay);
    for (int i = 0; i < OBJECT_COUNT; i++)
        image_free(&replay.images[i]);
    free(replay.sql);
    replay.expected = expected_free(replay.expected);
    replay.disk = disk_free(replay.disk);
    return status;
}
