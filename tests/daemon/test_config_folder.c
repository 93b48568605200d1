/* A configuration of several files, habitd.conf and conf.d: what is refused and in which file, what wins, where a value comes from. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"

#define MACHINE "[machine \"p*\"]\n"
#define INPUT   "[input \"a\"]\n"

/* A folder with habitd.conf and conf.d, made anew for each row. */
static char house[] = "/tmp/habit-test-house-XXXXXX";

struct file {
    const char *name, *text;
};

static void put_file(const char *name, const char *text)
{
    char place[128];
    FILE *file;

    snprintf(place, sizeof(place), "%s/%s", house, name);
    file = fopen(place, "w");
    assert_non_null(file);
    assert_int_not_equal(fputs(text, file), EOF);
    assert_int_equal(fclose(file), 0);
}

static void make_house(const struct file files[4])
{
    char command[128];

    snprintf(command, sizeof(command), "rm -rf %s && mkdir -p %s/conf.d", house, house);
    assert_int_equal(system(command), 0);
    for (size_t i = 0; i < 4 && files[i].name; i++)
        put_file(files[i].name, files[i].text);
}

static int read_house(struct config *config, char message[CONFIG_MESSAGE_SIZE])
{
    char main_file[64];

    message[0] = '\0';
    snprintf(main_file, sizeof(main_file), "%s/habitd.conf", house);
    return config_read(config, main_file, message);
}

static const struct {
    struct file files[4];
    const char *place, *words; /* behind the house */
} bad_houses[] = {
    { { { "habitd.conf", "" }, { "conf.d/1.conf", "\n[http]\nprot = 1\n" } },
      "conf.d/1.conf:3",
      "did you mean 'port'?" },
    { { { "habitd.conf", "[htp]\n" }, { "conf.d/1.conf", "[htp]\n" } }, "habitd.conf:1", "did you mean [http]?" },
    { { { "habitd.conf", "" }, { "conf.d/1.conf", "[http]\n[http]\n" } }, "conf.d/1.conf:2", "is there already" },
    { { { "habitd.conf", "" }, { "conf.d/1.conf", MACHINE MACHINE } },
      "conf.d/1.conf:2",
      "is there already, in line 1" },
    { { { "habitd.conf", "" }, { "conf.d/1.conf", INPUT "topic = {machine}/x\n" INPUT } },
      "conf.d/1.conf:3",
      "is there already, in line 1" },
    { { { "habitd.conf", "" }, { "conf.d/1.conf", "[http]\nport = 1\nport = 1\n" } },
      "conf.d/1.conf:3",
      "given twice" },
    { { { "habitd.conf", "" }, { "conf.d/1.conf", "\xef\xbb\xbf[http]\n" } }, "conf.d/1.conf:1", "byte order mark" },
    { { { "habitd.conf", "[http]\nport = 1\n" }, { "conf.d/1.conf", "\nport = 1\n" } },
      "conf.d/1.conf:2",
      "before the first" },
    /* contradictions between files: where the wrong key is */
    { { { "habitd.conf", "\n[http]\naddress = 0.0.0.0\n" }, { "conf.d/1.conf", "[http]\ntokens = /t\n" } },
      "habitd.conf:3",
      "needs certificate and key as well" },
    { { { "habitd.conf", "" }, { "conf.d/1.conf", "[http]\n\naddress = 0.0.0.0\n" } },
      "conf.d/1.conf:3",
      "not a loopback" },
    { { { "habitd.conf", MACHINE "threshold = 95\nclear = 96\n" }, { "conf.d/1.conf", "\n" MACHINE "clear = 94\n" } },
      "conf.d/1.conf:2",
      "below threshold" },
    { { { "habitd.conf", INPUT "topic = {machine}/x\n" }, { "conf.d/1.conf", "[input \"b\"]\ntopic = a/{machine}\n" } },
      "conf.d/1.conf:1",
      "habitd.conf, line 1" },
    { { { "habitd.conf", "" }, { "conf.d/a b.conf", "" } }, "conf.d", "has other than letters" },
};

static void refuses_bad_files_of_a_folder(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(bad_houses) / sizeof(bad_houses[0]); i++) {
        char message[CONFIG_MESSAGE_SIZE], start[128];
        struct config config;
        int r;

        make_house(bad_houses[i].files);
        r = read_house(&config, message);
        snprintf(start, sizeof(start), "%s/%s: ", house, bad_houses[i].place);
        if (r != -EINVAL || strncmp(message, start, strlen(start)) != 0 || !strstr(message, bad_houses[i].words))
            fail_msg("%zu: %d, '%s' instead of '%s...%s'", i, r, message, start, bad_houses[i].words);
    }
}

static void refuses_too_many_files(void **state)
{
    char message[CONFIG_MESSAGE_SIZE], name[64];
    struct config config;

    (void)state;
    make_house((struct file[4]){ { "habitd.conf", "" } });
    for (int i = 0; i < LIMIT_CONFIG_FILES; i++) {
        snprintf(name, sizeof(name), "conf.d/%d.conf", i);
        put_file(name, "");
    }
    assert_int_equal(read_house(&config, message), 0);
    assert_int_equal(config.file_count, LIMIT_CONFIG_FILES + 1);
    config_free(&config);
    put_file("conf.d/more.conf", "");
    assert_int_equal(read_house(&config, message), -EINVAL);
    assert_non_null(strstr(message, "65 files, at most 64"));
}

/* Of a key that several files give the last one counts, whichever file began the section; other names are left alone. */
static void takes_the_last_of_several_files(void **state)
{
    char message[CONFIG_MESSAGE_SIZE];
    struct settings settings;
    struct config config;
    bool create;

    (void)state;
    make_house((struct file[4]){ { "habitd.conf", "[http]\nport = 1\n[machine \"a*\"]\nwindow = 3\nclear = 95\n"
                                                  "[machine \"*a\"]\nwindow = 4\n" },
                                 { "conf.d/20.conf", "[http]\nport = 3\n[mqtt]\nport = 7\n" },
                                 { "conf.d/10.conf", "[http]\nport = 2\n[machine \"a*\"]\n\nwindow = 5\n" },
                                 { "conf.d/30.conf~", "[nonsense\n" } });
    put_file("conf.d/.hidden.conf", "[nonsense\n");
    put_file("conf.d/old.conf.dpkg-dist", "[nonsense\n");
    if (read_house(&config, message) != 0)
        fail_msg("%s", message);
    assert_int_equal(config.file_count, 3);
    assert_int_equal(config.http_port, 3);
    assert_int_equal(config.mqtt_port, 7);
    assert_int_equal(config.pattern_count, 2);
    config_settings(&config, "aa", &settings, &create);
    assert_int_equal(settings.window, 5); /* equally specific: what comes later, in 10.conf */
    assert_int_equal(settings.clear, 95);
    assert_int_equal(config.patterns[0].places[SETTING_window].file, 1);
    assert_int_equal(config.patterns[0].places[SETTING_window].line, 5);
    assert_int_equal(config.patterns[0].places[SETTING_clear].file, 0);
    config_free(&config);
}

static void says_where_a_value_comes_from(void **state)
{
    char message[CONFIG_MESSAGE_SIZE], line[160], *text = NULL;
    struct config config;
    size_t size;
    FILE *file;

    (void)state;
    make_house(
        (struct file[4]){ { "habitd.conf", "[http]\nport = 1\n" }, { "conf.d/1.conf", "\n\n[http]\nport = 2\n" } });
    assert_int_equal(read_house(&config, message), 0);
    file = open_memstream(&text, &size);
    assert_non_null(file);
    config_print(&config, file, true);
    fclose(file);
    snprintf(line, sizeof(line), "\n# %s/conf.d/1.conf:4\nport = 2\n", house);
    assert_non_null(strstr(text, line));
    assert_null(strstr(text, "habitd.conf:2"));
    assert_non_null(strstr(text, "\n[mqtt]\nhost = 127.0.0.1\n")); /* a default */
    free(text);
    config_free(&config);
}

static int make_folder(void **state)
{
    (void)state;
    return !mkdtemp(house);
}

static int remove_folder(void **state)
{
    char command[64];

    (void)state;
    snprintf(command, sizeof(command), "rm -rf %s", house);
    return system(command);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_bad_files_of_a_folder),
        cmocka_unit_test(refuses_too_many_files),
        cmocka_unit_test(takes_the_last_of_several_files),
        cmocka_unit_test(says_where_a_value_comes_from),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
