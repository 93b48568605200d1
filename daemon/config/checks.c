#include "config/checks.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"

int check_gateway(const char *text, struct refusal *refusal)
{
    if (text[0] != '\0' && !gateway_id_valid(text))
        return refuse(refusal, REFUSAL_RANGE, "id", "'%s' is not 1 to %d letters, digits and '-'", text,
                      GATEWAY_ID_SIZE - 1);
    return 0;
}

/* Whether the file of a zone is one: its name must not lead elsewhere, and the directory holds tables and scripts
 * too. */
static bool zone_exists(const char *name)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-/";
    char path[128], magic[4];
    bool found;
    int fd;

    if (name[0] == '/' || strlen(name) > 63 || name[strspn(name, allowed)] != '\0')
        return false;
    snprintf(path, sizeof(path), "/usr/share/zoneinfo/%s", name);
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return false;
    found = read(fd, magic, sizeof(magic)) == sizeof(magic) && memcmp(magic, "TZif", sizeof(magic)) == 0;
    close(fd);
    return found;
}

int check_timezone(const char *text, struct refusal *refusal)
{
    if (text[0] != '\0' && !zone_exists(text))
        return refuse(refusal, REFUSAL_RANGE, "timezone",
                      "'%s' is not a zone in /usr/share/zoneinfo, such as Europe/Berlin", text);
    return 0;
}

int check_log_level(const char *text, struct refusal *refusal)
{
    static const char *const levels[] = { "error", "warning", "notice", "info", "debug" };

    for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++)
        if (strcmp(levels[i], text) == 0)
            return 0;
    return refuse(refusal, REFUSAL_RANGE, "log_level", "'%s' is not error, warning, notice, info or debug", text);
}

bool is_loopback(const char *text)
{
    struct in6_addr six;
    struct in_addr four;

    if (strcmp(text, "localhost") == 0)
        return true;
    if (inet_pton(AF_INET, text, &four) == 1)
        return ntohl(four.s_addr) >> 24 == 127;
    return inet_pton(AF_INET6, text, &six) == 1 && IN6_IS_ADDR_LOOPBACK(&six);
}

static bool is_address(const char *text)
{
    struct in6_addr six;
    struct in_addr four;

    return inet_pton(AF_INET, text, &four) == 1 || inet_pton(AF_INET6, text, &six) == 1;
}

int check_address(const char *text, struct refusal *refusal)
{
    if (strcmp(text, "localhost") != 0 && !is_address(text))
        return refuse(refusal, REFUSAL_RANGE, "address",
                      "'%s' is not an address in numbers (127.0.0.1, ::1, 192.168.1.5, 0.0.0.0), and not localhost",
                      text);
    return 0;
}

int check_names(const char *text, struct refusal *refusal)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-.:[] ";

    if (text[strspn(text, allowed)] != '\0')
        return refuse(refusal, REFUSAL_RANGE, "names", "'%s' is not a list of host names with spaces between", text);
    return 0;
}

int check_host(const char *text, struct refusal *refusal)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._:%";

    if (text[strspn(text, allowed)] != '\0')
        return refuse(refusal, REFUSAL_RANGE, "host", "'%s' is neither a host name nor an address", text);
    return 0;
}

int check_path(const char *text, struct refusal *refusal)
{
    if (text[0] != '\0' && text[0] != '/')
        return refuse(refusal, REFUSAL_RANGE, "path", "'%s' is not an absolute path", text);
    return 0;
}

int check_ca(const char *text, struct refusal *refusal)
{
    if (text[0] != '\0' && text[0] != '/' && strcmp(text, "system") != 0)
        return refuse(refusal, REFUSAL_RANGE, "ca", "'%s' is neither an absolute path nor system", text);
    return 0;
}

/* A name alone is that of a credential, which systemd hands over. */
int check_secret(const char *text, struct refusal *refusal)
{
    if (text[0] != '/' && strchr(text, '/'))
        return refuse(refusal, REFUSAL_RANGE, "path", "'%s' is neither an absolute path nor the name of a credential",
                      text);
    return 0;
}

/* ----------------------------------------------------------------------------------------------------------- topics */

/* One level of a topic or pattern. */
struct level {
    const char *text;
    size_t length;
};

/* Takes the next level off *rest, which is NULL behind the last one. */
static bool next_level(const char **rest, struct level *level)
{
    if (!*rest)
        return false;
    level->text = *rest;
    level->length = strcspn(*rest, "/");
    *rest = level->text[level->length] == '/' ? level->text + level->length + 1 : NULL;
    return true;
}

static bool level_is(const struct level *level, const char *text)
{
    return strlen(text) == level->length && memcmp(level->text, text, level->length) == 0;
}

static bool is_wild(const struct level *level)
{
    return level_is(level, "+") || level_is(level, "{machine}");
}

static bool levels_meet(const struct level *a, const struct level *b)
{
    return is_wild(a) || is_wild(b) || (a->length == b->length && memcmp(a->text, b->text, a->length) == 0);
}

int check_prefix(const char *text, struct refusal *refusal)
{
    const char *rest = text;
    struct level level;

    while (next_level(&rest, &level))
        if (level.length == 0 || level.text[0] == '$' || strcspn(level.text, "+#{}") < level.length)
            return refuse(
                refusal, REFUSAL_RANGE, "topic",
                "'%s' is not the beginning of a topic such as homeassistant: names between slashes, no '+', '#' "
                "or '$'",
                text);
    return 0;
}

int check_topic(const char *text, struct refusal *refusal)
{
    const char *rest = text;
    unsigned int machines = 0;
    struct level level;

    if (text[0] == '$')
        return refuse(refusal, REFUSAL_RANGE, "topic", "'%s' begins with '$': those are the broker's own", text);
    while (next_level(&rest, &level)) {
        machines += level_is(&level, "{machine}");
        if (!is_wild(&level) && strcspn(level.text, "+#{}") < level.length)
            return refuse(refusal, REFUSAL_RANGE, "topic",
                          "'%s': '+' and '{machine}' stand alone between slashes, and '#' is not allowed", text);
    }
    if (machines > 1)
        return refuse(refusal, REFUSAL_RANGE, "topic", "'%s' has %u levels {machine}, but needs exactly one", text,
                      machines);
    return 0;
}

bool topics_overlap(const char *a, const char *b)
{
    struct level left, right;
    bool more_left, more_right;

    for (;;) {
        more_left = next_level(&a, &left);
        more_right = next_level(&b, &right);
        if (!more_left || !more_right)
            return more_left == more_right;
        if (!levels_meet(&left, &right))
            return false;
    }
}

bool topic_meets_root(const char *pattern, const char *gateway)
{
    const char *const root[] = { "habit", "v1", gateway };
    struct level level;

    for (size_t i = 0; i < sizeof(root) / sizeof(root[0]); i++)
        if (!next_level(&pattern, &level) || (!is_wild(&level) && !level_is(&level, root[i])))
            return false;
    return pattern != NULL;
}
