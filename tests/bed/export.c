#include "export.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

enum { PATH_SIZE = 4096 };

static FILE *open_in(const char *folder, const char *name)
{
    char path[PATH_SIZE];

    if (snprintf(path, sizeof(path), "%s/%s", folder, name) >= PATH_SIZE) {
        errno = ENAMETOOLONG;
        return NULL;
    }
    return fopen(path, "w");
}

static int write_buffers(const struct trial *trial, const char *folder, const char *name, unsigned int from,
                         unsigned int to)
{
    FILE *file = open_in(folder, name);
    size_t values = (to - from) * trial->values, written;

    if (!file)
        return -errno;
    written = fwrite(trial_samples(trial, from), sizeof(float), values, file);
    return fclose(file) == 0 && written == values ? 0 : -EIO;
}

static int write_meta(const struct trial *trial, const char *folder, const char *name)
{
    const struct machine *m = trial->machine;
    FILE *file = open_in(folder, "meta.json");

    if (!file)
        return -errno;
    fprintf(file, "{\"name\": \"%s\", \"buffer_size\": %u, \"axes\": %u, \"sampling_hz\": %.9g, \"fault\": \"%s\"}\n",
            name, m->buffer_size, m->axes, (double)(float)m->sampling_hz, m->fault);
    return fclose(file) == 0 ? 0 : -EIO;
}

int export_trial(const struct trial *trial, const char *dir, unsigned int index)
{
    char name[64], folder[PATH_SIZE];
    int r;

    snprintf(name, sizeof(name), "%s-%03u", trial->machine->kind->name, index);
    if (snprintf(folder, sizeof(folder), "%s/%s", dir, name) >= PATH_SIZE)
        return -ENAMETOOLONG;
    if (mkdir(folder, 0777) != 0 && errno != EEXIST)
        return -errno;
    r = write_meta(trial, folder, name);
    if (r == 0)
        r = write_buffers(trial, folder, "normal.f32", 0, trial->healthy_end);
    if (r == 0)
        r = write_buffers(trial, folder, "abnormal.f32", trial->healthy_end, trial->count);
    return r;
}
