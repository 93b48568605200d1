#include "in_force.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"

enum { PATH_SIZE = 512, LINE_SIZE = 4200 };

/* "/run/habit/in-force": a name that is none of a file in conf.d. */
static bool place_of(const char *directory, char file[PATH_SIZE])
{
    return directory && directory[0] == '/' && !strchr(directory, ':') &&
           snprintf(file, PATH_SIZE, "%s/in-force", directory) < PATH_SIZE;
}

/* The first line names the configuration file that it was read from. */
static void heading_of(const char *path, char line[LINE_SIZE])
{
    char *real = realpath(path, NULL);

    snprintf(line, LINE_SIZE, "# of %s\n", real ? real : path);
    free(real);
}

void in_force_write(const struct config *config, const char *path)
{
    char file[PATH_SIZE], heading[LINE_SIZE];
    FILE *out;

    if (!place_of(getenv("RUNTIME_DIRECTORY"), file))
        return;
    unlink(file);
    out = fopen(file, "wxe");
    if (out) {
        heading_of(path, heading);
        fputs(heading, out);
        config_print(config, out, false);
        fchmod(fileno(out), 0640);
    }
    if (!out || fclose(out) != 0)
        log_warning("%s cannot be written (%s): --check-config will not say what has changed", file, strerror(errno));
}

static bool is_of(const char *file, const char *path)
{
    char wanted[LINE_SIZE], found[LINE_SIZE] = "";
    FILE *in = fopen(file, "re");

    if (!in)
        return false;
    heading_of(path, wanted);
    if (!fgets(found, sizeof(found), in))
        found[0] = '\0';
    fclose(in);
    return strcmp(wanted, found) == 0;
}

bool in_force_read(struct config *config, const char *path)
{
    const char *directory = getenv("RUNTIME_DIRECTORY");
    char file[PATH_SIZE], message[CONFIG_MESSAGE_SIZE];

    return place_of(directory ? directory : "/run/habit", file) && is_of(file, path) &&
           config_read(config, file, message) == 0;
}
