#include "staging.h"

#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "message.h"
#include "options.h"
#include "shared_file.h"

/* Whatever umask the caller has: others may look into what is made. */
static int make_folder(const char *path)
{
    if (mkdir(path, 0755) == 0)
        return chmod(path, 0755) == 0 ? 0 : complain_errno("set the mode of", path);
    return errno == EEXIST ? 0 : complain_errno("make folder", path);
}

/* The folder that a path is in, and those above it. */
static int make_folders(const char *path)
{
    char *copy = strdup(path);
    int r = copy ? 0 : EXIT_FAILED;

    for (char *slash = copy ? strchr(copy + 1, '/') : NULL; slash && r == 0; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        r = make_folder(copy);
        *slash = '/';
    }
    free(copy);
    return r;
}

/* Everybody, or nobody but its owner; a group's file is as shared_file_open has made it. */
static int set_mode(struct output_file *output, const char *group)
{
    struct stat before;
    bool exists = stat(output->path, &before) == 0;
    int r = 0;

    if (!group)
        r = fchmod(fileno(output->file), 0644);
    else if (group[0] == '\0' && !exists)
        r = fchmod(fileno(output->file), 0600);
    return r == 0 ? 0 : complain_errno("set the mode of", output->path);
}

/* The number of a group in a file of groups; -1 = it has none of this name. */
static gid_t find_group(FILE *groups, const char *name)
{
    const struct group *group = fgetgrent(groups);

    while (group && strcmp(group->gr_name, name) != 0)
        group = fgetgrent(groups);
    return group ? group->gr_gid : (gid_t)-1;
}

/* This host may give the same name another number than the image does. */
static int open_shared(const struct staging *staging, struct output_file *output, const char *path, const char *group)
{
    char *list = NULL;
    FILE *groups = NULL;
    gid_t number;

    if (staging->root && staging->root[0] != '\0' && asprintf(&list, "%s/etc/group", staging->root) < 0)
        return complain_errno("write", path);
    groups = list ? fopen(list, "re") : NULL;
    free(list);
    if (!groups) /* an image without groups is of files only: those of this host are as good as any */
        return shared_file_open(output, path, group);
    number = find_group(groups, group);
    fclose(groups);
    if (number != (gid_t)-1)
        return shared_file_open_of(output, path, number);
    complain("%s/etc/group has no group %s, which is to read %s: install its package there first", staging->root, group,
             path);
    return EXIT_DATA;
}

int staging_add(struct staging *staging, const char *path, const char *text, const char *group)
{
    struct staged *file = &staging->files[staging->count];
    int r = make_folders(path);

    if (r != 0)
        return r;
    if (staging->count == STAGED_FILES || !text || !(file->path = strdup(path))) {
        complain("cannot write %s: no room", path);
        return EXIT_FAILED;
    }
    staging->count++;
    r = open_shared(staging, &file->output, file->path, group && group[0] != '\0' ? group : "root");
    if (r == 0)
        r = set_mode(&file->output, group);
    if (r == 0 && fputs(text, file->output.file) < 0)
        r = complain_errno("write", path);
    return r;
}

/* Gives what is there a second name, from which it can come back. */
static int keep(struct staged *file)
{
    if (access(file->path, F_OK) != 0)
        return 0;
    if (asprintf(&file->kept, "%s.before-setup", file->path) < 0) {
        file->kept = NULL;
        return complain_errno("keep", file->path);
    }
    unlink(file->kept);
    if (link(file->path, file->kept) == 0)
        return 0;
    free(file->kept);
    file->kept = NULL;
    return complain_errno("keep", file->path);
}

static void take_back(struct staging *staging)
{
    for (size_t i = staging->count; i > 0; i--) {
        struct staged *file = &staging->files[i - 1];

        if (!file->placed)
            continue;
        if (file->kept ? rename(file->kept, file->path) != 0 : unlink(file->path) != 0)
            complain_errno("take back", file->path);
        free(file->kept);
        file->kept = NULL;
        file->placed = false;
    }
}

int staging_commit(struct staging *staging)
{
    int r = 0;

    for (size_t i = 0; i < staging->count && r == 0; i++)
        r = keep(&staging->files[i]);
    for (size_t i = 0; i < staging->count && r == 0; i++) {
        r = output_file_commit(&staging->files[i].output);
        staging->files[i].placed = r == 0;
    }
    if (r != 0)
        take_back(staging);
    return r;
}

void staging_clear(struct staging *staging)
{
    for (size_t i = 0; i < staging->count; i++) {
        struct staged *file = &staging->files[i];

        output_file_abandon(&file->output);
        if (file->kept)
            unlink(file->kept);
        free(file->kept);
        free(file->path);
    }
    *staging = (struct staging){ 0 };
}
