/* habit node: users of the broker: sensors, gateways and readers, each with a password and with what it may do. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "access/secret.h"
#include "base/text.h"
#include "broker_files.h"
#include "commands.h"
#include "message.h"
#include "setup_paths.h"
#include "shared_file.h"

#define ACL_FILE       "/etc/mosquitto/habit.acl"
#define PASSWORDS_FILE "/etc/mosquitto/habit.passwords"

enum role { ROLE_SENSOR, ROLE_GATEWAY, ROLE_READER };

struct node_settings {
    struct words operands, machines, reads, writes;
    const char *gateway, *acl, *passwords, *password_file, *broker, *ca;
    unsigned int role; /* enum role */
    uint64_t port;
    bool learn, commands;
};

#define ROW(kind, key, field, value, low, high, help)                                            \
    {                                                                                            \
        OPTION_##kind, false, key, offsetof(struct node_settings, field), value, low, high, help \
    }

static const struct option_row rows[] = {
    ROW(OPERANDS, "", operands, "add NAME | remove NAME", 2, 2, "what to do; NAME is the user's name at the broker"),
    ROW(TEXT, "gateway", gateway, "ID", 0, 0, "of add: [gateway] id of the habitd that it is for"),
    ROW(CHOICE, "role", role, "sensor|gateway|reader", 0, 0,
        "sensor (default) sends buffers, gateway is habitd, reader sees all"),
    ROW(LIST, "machine", machines, "ID", 0, 0, "of a sensor: what it sends for; repeat it; default: NAME"),
    ROW(FLAG, "learn", learn, "", 0, 0, "of a sensor: it may say that a buffer is to be learned"),
    ROW(FLAG, "commands", commands, "", 0, 0, "of a reader: it may send commands, too"),
    ROW(LIST, "read", reads, "TOPIC", 0, 0, "a further topic that it may read, such as an [input] of a gateway"),
    ROW(LIST, "write", writes, "TOPIC", 0, 0, "a further topic that it may write"),
    ROW(TEXT, "password-file", password_file, "FILE", 0, 0, "write the password there, and nothing on standard output"),
    ROW(TEXT, "broker", broker, "HOST", 0, 0, "for the sketch; default: the gateway's ID with .local"),
    ROW(UNSIGNED, "port", port, "N", 1, 65535, "for the sketch; default 8883"),
    ROW(TEXT, "ca", ca, "FILE", 0, 0,
        "for the sketch: PEM of who signed the broker's certificate; default " SETUP_CA ", where it is"),
    ROW(TEXT, "acl", acl, "FILE", 0, 0, "default " ACL_FILE),
    ROW(TEXT, "passwords", passwords, "FILE", 0, 0, "default " PASSWORDS_FILE),
    { .type = OPTION_END },
};

/* ------------------------------------------------------------------------------------------------- what it may do */

static void put_sensor(FILE *file, const struct node_settings *settings, const char *machine)
{
    static const char *const topics[] = { "buffer", "detect", "context" };

    for (size_t i = 0; i < sizeof(topics) / sizeof(topics[0]); i++)
        fprintf(file, "topic write habit/v1/%s/%s/%s\n", settings->gateway, machine, topics[i]);
    if (settings->learn)
        fprintf(file, "topic write habit/v1/%s/%s/learn\n", settings->gateway, machine);
    fprintf(file, "topic read habit/v1/%s/%s/state\n", settings->gateway, machine);
}

static void put_role(FILE *file, const struct node_settings *settings, const char *name)
{
    switch ((enum role)settings->role) {
    case ROLE_SENSOR:
        for (size_t i = 0; i < settings->machines.count; i++)
            put_sensor(file, settings, settings->machines.word[i]);
        if (settings->machines.count == 0)
            put_sensor(file, settings, name);
        break;
    case ROLE_GATEWAY:
        broker_gateway_rights(file, settings->gateway);
        break;
    case ROLE_READER:
        fprintf(file, "topic read habit/v1/%s/#\n", settings->gateway);
        if (settings->commands)
            fprintf(file, "topic write habit/v1/%s/+/cmd/#\n", settings->gateway);
        break;
    }
}

/* Lines of the ACL file, heap; NULL when memory ran out. */
static char *rights_of(const struct node_settings *settings, const char *name)
{
    char *text = NULL;
    size_t size;
    FILE *file = open_memstream(&text, &size);

    if (!file)
        return NULL;
    put_role(file, settings, name);
    for (size_t i = 0; i < settings->reads.count; i++)
        fprintf(file, "topic read %s\n", settings->reads.word[i]);
    for (size_t i = 0; i < settings->writes.count; i++)
        fprintf(file, "topic write %s\n", settings->writes.word[i]);
    if (fclose(file) == 0)
        return text;
    free(text);
    return NULL;
}

/* ----------------------------------------------------------------------------------------------------------- checks */

static int check_topics(const struct command *command, const struct words *topics)
{
    for (size_t i = 0; i < topics->count; i++)
        if (topics->word[i][0] == '\0' || !text_printable(topics->word[i], 256) || strchr(topics->word[i], '\n'))
            return options_refuse(command, "a topic is printable text of at most 255 bytes");
    return 0;
}

static int check_names(const struct command *command, const struct node_settings *settings)
{
    const char *name = settings->operands.word[1];

    if (!machine_id_valid(name, strlen(name)))
        return options_refuse(command, "a name is " MACHINE_ID_RULE);
    for (size_t i = 0; i < settings->machines.count; i++)
        if (!machine_id_valid(settings->machines.word[i], strlen(settings->machines.word[i])))
            return options_refuse(command, "--machine is a machine ID: " MACHINE_ID_RULE);
    return 0;
}

static int check_add(const struct command *command, const struct node_settings *settings)
{
    int r = check_names(command, settings);

    if (r == 0 && (!settings->gateway || !gateway_id_valid(settings->gateway)))
        r = options_refuse(command, "--gateway is the [gateway] id of habitd: 1 to 32 letters, digits and '-'");
    if (r == 0 && settings->role != ROLE_SENSOR && (settings->machines.count > 0 || settings->learn))
        r = options_refuse(command, "--machine and --learn are for sensors");
    if (r == 0 && settings->role != ROLE_READER && settings->commands)
        r = options_refuse(command, "--commands is for readers");
    if (r == 0)
        r = check_topics(command, &settings->reads);
    return r != 0 ? r : check_topics(command, &settings->writes);
}

/* ---------------------------------------------------------------------------------------------------------- results */

static void print_ca(const char *ca)
{
    if (ca[0] != '\0')
        printf("static const char habit_ca[] = R\"PEM(\n%s)PEM\";\n", ca);
    else
        printf("static const char habit_ca[] = \"\"; // PEM of who signed the broker's certificate\n");
}

/* For the Arduino library MQTT (256dpi), which can send with QoS 1. */
static void print_sketch(const struct node_settings *settings, const char *name, const char *password, const char *ca)
{
    const char *machine = settings->machines.count > 0 ? settings->machines.word[0] : name;

    printf("// habit node %s. It holds the password: keep it out of version control.\n"
           "#include <MQTT.h>\n#include <WiFiClientSecure.h>\n\n"
           "static const char habit_broker[] = \"%s%s\";\n"
           "static const char habit_user[] = \"%s\";\n"
           "static const char habit_password[] = \"%s\";\n"
           "static const char habit_topic[] = \"habit/v1/%s/%s/buffer\";\n",
           name, settings->broker ? settings->broker : settings->gateway, settings->broker ? "" : ".local", name,
           password, settings->gateway, machine);
    print_ca(ca);
    printf("\nstatic WiFiClientSecure habit_socket;\nstatic MQTTClient habit_mqtt(16384);\n\n"
           "static bool habit_connect() {\n"
           "  habit_socket.setCACert(habit_ca);\n"
           "  habit_mqtt.begin(habit_broker, %u, habit_socket);\n"
           "  return habit_mqtt.connect(habit_user, habit_user, habit_password);\n"
           "}\n\n"
           "// x0 y0 z0 x1 y1 z1 ...; true when the broker has it\n"
           "static bool habit_send(const float *values, size_t count) {\n"
           "  habit_mqtt.loop();\n"
           "  return (habit_mqtt.connected() || habit_connect()) &&\n"
           "         habit_mqtt.publish(habit_topic, (const char *)values, count * sizeof(float), false, 1);\n"
           "}\n",
           (unsigned int)settings->port);
}

static int hand_out(struct output_file *output, const struct node_settings *settings, const char *name,
                    const char *password, const char *ca)
{
    if (settings->password_file) {
        fprintf(output->file, "%s\n", password);
        return output_file_commit(output);
    }
    if (settings->role == ROLE_SENSOR)
        print_sketch(settings, name, password, ca);
    else
        printf("%s\n", password);
    return 0;
}

/* ------------------------------------------------------------------------------------------------------------- verbs */

/* The rights come first: a password without rights opens nothing. Before both comes the file that is to hold the password, since nobody
 * else would know it. */
static int add(const struct node_settings *settings, const char *name, const char *ca)
{
    struct output_file output = { 0 };
    char password[SECRET_SIZE];
    char *rights = rights_of(settings, name);
    int r = rights && secret_make(password) == 0 ? 0 : EXIT_FAILED;

    if (r != 0)
        complain("no memory, or no random numbers");
    if (r == 0 && settings->password_file)
        r = shared_file_open(&output, settings->password_file, "habit");
    if (r == 0)
        r = broker_acl_put(settings->acl, name, rights);
    if (r == 0)
        r = broker_password_put(settings->passwords, name, password);
    if (r == 0)
        r = hand_out(&output, settings, name, password, ca);
    output_file_abandon(&output);
    explicit_bzero(password, sizeof(password));
    free(rights);
    return r;
}

static bool has_sketch(const struct node_settings *settings)
{
    return settings->role == ROLE_SENSOR && !settings->password_file;
}

/* The CA for the sketch, heap, "" = none; NULL after saying why. A file that was named must be one. */
static char *read_ca(const struct node_settings *settings)
{
    const char *path = settings->ca ? settings->ca : SETUP_CA;
    char *text = has_sketch(settings) ? shared_file_read(path) : strdup("");

    if (!text || !has_sketch(settings) || strstr(text, "-----BEGIN CERTIFICATE-----"))
        return text;
    if (!settings->ca && text[0] == '\0')
        return text;
    complain("%s is not there, or holds no certificate in PEM form: nothing was changed", path);
    free(text);
    return NULL;
}

static void say_ca(const struct node_settings *settings, const char *ca)
{
    if (!has_sketch(settings))
        return;
    if (ca[0] != '\0')
        complain("the sketch trusts the CA of %s", settings->ca ? settings->ca : SETUP_CA);
    else
        complain(
            "warning: the sketch has no CA, by which it would know the broker: fill habit_ca[] in, or remove the node "
            "and add it with --ca FILE");
}

static int add_node(const struct node_settings *settings, const char *name)
{
    char *ca = read_ca(settings);
    int r = ca ? add(settings, name, ca) : EXIT_FAILED;

    if (r == 0)
        say_ca(settings, ca);
    free(ca);
    return r;
}

static int remove_node(const struct node_settings *settings, const char *name)
{
    int r = broker_password_put(settings->passwords, name, NULL);

    return r != 0 ? r : broker_acl_put(settings->acl, name, NULL);
}

/* Adding one that is there would make its password stop to work. */
static int check_absent(const struct node_settings *settings, const char *name)
{
    char *text = shared_file_read(settings->acl);
    bool there = text && broker_acl_has(text, name);

    free(text);
    if (!text)
        return EXIT_FAILED;
    if (there)
        complain("%s has a user %s already: remove it first", settings->acl, name);
    return there ? EXIT_FAILED : 0;
}

/* A wrong name must not look as if a node were out. */
static int check_present(const struct node_settings *settings, const char *name)
{
    char *acl = shared_file_read(settings->acl), *passwords = acl ? shared_file_read(settings->passwords) : NULL;
    bool there = passwords && (broker_acl_has(acl, name) || broker_password_has(passwords, name));

    if (passwords && !there)
        complain("%s and %s have no user %s", settings->acl, settings->passwords, name);
    free(acl);
    free(passwords);
    return there ? 0 : EXIT_FAILED;
}

static int run(const struct command *command, int argc, char **argv)
{
    struct node_settings settings = { .acl = ACL_FILE, .passwords = PASSWORDS_FILE, .port = 8883 };
    const char *verb, *name;
    bool adds;
    int r;

    if (!options_read(command, &settings, argc, argv, &r))
        return r;
    verb = settings.operands.word[0];
    name = settings.operands.word[1];
    adds = strcmp(verb, "add") == 0;
    if (!adds && strcmp(verb, "remove") != 0)
        return options_refuse(command, "say add NAME or remove NAME");
    r = adds ? check_add(command, &settings) : check_names(command, &settings);
    if (r == 0)
        r = shared_file_lock(settings.acl);
    if (r == 0)
        r = adds ? check_absent(&settings, name) : check_present(&settings, name);
    if (r == 0)
        r = adds ? add_node(&settings, name) : remove_node(&settings, name);
    if (r == 0)
        complain("the broker takes this with `systemctl reload mosquitto` (or SIGHUP)");
    return r;
}

const struct command node_command = {
    .name = "node",
    .synopsis = "add NAME --gateway ID [--role sensor|gateway|reader] [--machine ID...] ... | remove NAME",
    .summary = "makes and removes users of the broker: sensors, gateways, readers",
    .details = "Writes mosquitto's ACL and password file. Of a sensor it prints a sketch with its password, of others "
               "the password;\n"
               "both are shown once. docs/security.md says how the broker is told of the two files.",
    .options = rows,
    .run = run,
};
