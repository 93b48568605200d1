#include "output_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "message.h"

static bool is_special(const char *path)
{
    struct stat about;

    return stat(path, &about) == 0 && !S_ISREG(about.st_mode);
}

static FILE *open_temporary(struct output_file *output)
{
    FILE *file;
    int descriptor;

    if (asprintf(&output->temporary, "%s.XXXXXX", output->path) < 0) {
        output->temporary = NULL;
        return NULL;
    }
    descriptor = mkostemp(output->temporary, O_CLOEXEC);
    file = descriptor < 0 ? NULL : fdopen(descriptor, "wb");
    if (!file && descriptor >= 0) {
        close(descriptor);
        unlink(output->temporary);
    }
    return file;
}

int output_file_open(struct output_file *output, const char *path)
{
    int r = 0;

    *output = (struct output_file){ .path = path };
    output->file = is_special(path) ? fopen(path, "wbe") : open_temporary(output);
    if (!output->file) {
        r = complain_errno("write", path);
        free(output->temporary);
        output->temporary = NULL;
    }
    return r;
}

/* Flushes, also the disk's own memory. */
static int settle(FILE *file)
{
    if (ferror(file) || fflush(file) != 0)
        return -1;
    return fsync(fileno(file)) == 0 || errno == EINVAL || errno == EROFS ? 0 : -1; /* EINVAL: a pipe has no disk */
}

int output_folder_open(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *folder = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
    int descriptor = folder ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

    free(folder);
    return descriptor;
}

/* The name of a file is of its folder, which has a memory of its own. Who may write there and not read cannot flush it. */
static int settle_folder(const char *path)
{
    int descriptor = output_folder_open(path), r;

    if (descriptor < 0)
        return errno == EACCES ? 0 : -1;
    r = fsync(descriptor) == 0 || errno == EINVAL ? 0 : -1;
    close(descriptor);
    return r;
}

static int put_in_place(const struct output_file *output)
{
    if (settle(output->file) != 0)
        return -1;
    if (!output->temporary)
        return 0;
    return rename(output->temporary, output->path) == 0 ? settle_folder(output->path) : -1;
}

int output_file_commit(struct output_file *output)
{
    int r = put_in_place(output);

    if (r != 0) {
        r = complain_errno("write", output->path);
        output_file_abandon(output);
        return r;
    }
    free(output->temporary);
    output->temporary = NULL;
    fclose(output->file);
    output->file = NULL;
    return 0;
}

void output_file_abandon(struct output_file *output)
{
    if (output->file)
        fclose(output->file);
    if (output->temporary)
        unlink(output->temporary);
    free(output->temporary);
    *output = (struct output_file){ 0 };
}
