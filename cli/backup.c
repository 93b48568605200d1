/* habit backup: a copy of the daemon's store, while it works. */
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "commands.h"
#include "message.h"
#include "output_file.h"
#include "progress.h"

struct backup_settings {
    const char *url;
    struct words file;
};

static const struct option_row rows[] = {
    { OPTION_OPERANDS, true, "", offsetof(struct backup_settings, file), "FILE", 1, 1,
      "to write; one that is there is replaced when the new one is complete" },
    { OPTION_TEXT, false, "url", offsetof(struct backup_settings, url), "URL", 0, 0,
      "of habitd; default $HABIT_URL, else " CLIENT_URL },
    { .type = OPTION_END },
};

enum { SILENCE = 600 }; /* seconds: the copy is made before its first byte comes */

struct download {
    struct client *client;
    struct output_file output;
    struct progress progress;
    uint64_t size;
};

static bool take(void *user, const char *bytes, size_t size)
{
    struct download *download = user;

    if (download->size == 0)
        progress_begin(&download->progress, "backup", client_expected(download->client), true);
    download->size += size;
    progress_step(&download->progress, download->size);
    if (fwrite(bytes, 1, size, download->output.file) == size)
        return true;
    complain_errno("write", download->output.path);
    return false;
}

static int fetch(struct download *download, const char *path)
{
    const struct incoming incoming = { .path = "/v1/backup", .take = take, .user = download, .silence = SILENCE };
    int r = output_file_open(&download->output, path);

    if (r == 0)
        r = client_receive(download->client, &incoming);
    if (r == 0 && download->size == 0) {
        complain("habitd sent an empty backup");
        r = EXIT_FAILED;
    }
    progress_end(&download->progress);
    if (r == 0)
        r = output_file_commit(&download->output);
    output_file_abandon(&download->output);
    return r;
}

static int run(const struct command *command, int argc, char **argv)
{
    struct backup_settings settings = { 0 };
    struct download download = { 0 };
    int code;

    if (!options_read(command, &settings, argc, argv, &code))
        return code;
    code = client_open(&download.client, settings.url);
    if (code == 0)
        code = fetch(&download, settings.file.word[0]);
    if (code == 0)
        printf("%s: %.1f MiB\n", settings.file.word[0], (double)download.size / 1048576);
    client_close(download.client);
    return code;
}

const struct command backup_command = {
    .name = "backup",
    .synopsis = "FILE [--url URL]",
    .summary = "writes a copy of the daemon's store to a file, while it works",
    .details = "It needs a token with scope admin. `habitd --restore FILE` takes it, here or on another gateway; "
               "/etc/habit, with\n"
               "tokens, keys and passwords, is not in it.",
    .options = rows,
    .run = run,
};
