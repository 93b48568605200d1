#include "offline.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "store/store.h"

enum { EXIT_UNSURE = 2 }; /* nothing was done: say so again, with --yes or --replace */

static int complain(int r, const char *message, const char *hint)
{
    fprintf(stderr, "habitd: %s%s\n", message, hint);
    return r == STORE_E_THERE ? EXIT_UNSURE : EXIT_FAILURE;
}

/* ---------------------------------------------------------------------------------------------------------- restore */

static void tell(const struct config *config, const char *file, const struct store_restored *restored)
{
    char at[CLOCK_TEXT_SIZE];

    printf("%s: restored from %s: %u machines, %u anomalies\n", config->store_path, file, restored->machines,
           restored->anomalies);
    if (restored->at != 0)
        printf("it was made %s on gateway %s; what came later is not in it\n", clock_text(restored->at, at),
               restored->gateway);
    if (restored->kept[0] != '\0')
        printf("the store that was here is %s: delete it when it is not needed any more\n", restored->kept);
    if (restored->at != 0 && strcmp(restored->gateway, config->gateway) != 0)
        printf("this gateway is %s: set [gateway] id = %s where it takes the other one's place, for MQTT topics begin "
               "with it\n",
               config->gateway, restored->gateway);
}

int offline_restore(const struct config *config, const char *file, bool replace)
{
    char message[STORE_MESSAGE_SIZE] = "";
    struct store_restored restored;
    int r = store_restore(config->store_path, file, replace, &restored, message);

    if (r != 0)
        return complain(r, message,
                        r == STORE_E_IN_USE ? ": stop it first, systemctl stop habitd; nothing was changed" : "");
    tell(config, file, &restored);
    return EXIT_SUCCESS;
}

/* ------------------------------------------------------------------------------------------------------------- wipe */

struct listing {
    const char *verb;
    unsigned int count;
};

static void tell_file(void *user, const char *file)
{
    struct listing *listing = user;

    printf("%s %s\n", listing->verb, file);
    fflush(stdout);
    listing->count++;
}

int offline_wipe(const struct config *config, bool yes)
{
    struct listing listing = { .verb = yes ? "overwriting and deleting" : "would overwrite and delete" };
    char message[STORE_MESSAGE_SIZE] = "";
    int r = store_destroy(config->store_path, yes, tell_file, &listing, message);

    if (r != 0)
        return complain(r, message,
                        r == STORE_E_IN_USE ? ": stop it first, systemctl stop habitd, or use habit wipe" : "");
    if (listing.count == 0) {
        printf("%s: there is no store\n", config->store_path);
        return EXIT_SUCCESS;
    }
    if (!yes) {
        fprintf(stderr, "habitd: nothing was done: --wipe --yes does it, and nothing brings it back\n");
        return EXIT_UNSURE;
    }
    puts("the store is gone; /etc/habit, with tokens, keys and passwords, is not part of it");
    return EXIT_SUCCESS;
}
