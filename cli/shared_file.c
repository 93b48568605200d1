#include "shared_file.h"

#include <errno.h>
#include <grp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "message.h"
#include "options.h"

enum { MOST = 1 << 20 };

/* Only root can give files away: whoever else calls keeps what is made as his own. */
static int hand_over(FILE *file, const char *path, gid_t group)
{
    struct stat before;
    bool replaced = stat(path, &before) == 0;
    uid_t owner = replaced ? before.st_uid : (uid_t)-1;
    gid_t shared = replaced ? before.st_gid : group;
    mode_t mode = replaced ? before.st_mode & 0660 : 0640;

    if (geteuid() == 0 && fchown(fileno(file), owner, shared) != 0)
        return -1;
    return fchmod(fileno(file), mode);
}

int shared_file_open(struct output_file *output, const char *path, const char *group)
{
    const struct group *found = getgrnam(group);

    return shared_file_open_of(output, path, found ? found->gr_gid : (gid_t)-1);
}

int shared_file_open_of(struct output_file *output, const char *path, gid_t group)
{
    int r = output_file_open(output, path);

    if (r != 0)
        return r;
    if (hand_over(output->file, path, group) == 0)
        return 0;
    complain_errno("set owner and mode of", path);
    output_file_abandon(output);
    return EXIT_FAILED;
}

/* Of the folder, since the file itself is replaced; the descriptor stays open for it. */
int shared_file_lock(const char *path)
{
    int descriptor = output_folder_open(path);

    return descriptor >= 0 && flock(descriptor, LOCK_EX) == 0 ? 0 : complain_errno("lock the folder of", path);
}

static char *read_all(FILE *file, const char *path)
{
    char *text = calloc(1, MOST + 1);
    size_t size = text ? fread(text, 1, MOST, file) : 0;

    if (text && !ferror(file) && size < MOST && strlen(text) == size)
        return text;
    complain("cannot read %s: not a text of less than 1 MiB", path);
    free(text);
    return NULL;
}

char *shared_file_read(const char *path)
{
    FILE *file = fopen(path, "re");
    char *text;

    if (!file && errno == ENOENT)
        return strdup("");
    if (!file) {
        complain_errno("read", path);
        return NULL;
    }
    text = read_all(file, path);
    fclose(file);
    return text;
}
