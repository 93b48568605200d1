/* Any bytes as a configuration file: refused with file, line and reason and nothing left to free; or taken, and then what is
 * printed of it is a file that gives the same. Bytes that begin with "#tokens" are a file of tokens. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "access/token.h"
#include "config/config.h"
#include "config/map.h"
#include "file.h"
#include "fuzz.h"
#include "mqtt/topic.h"
#include "refusals.h"

static const char *const ids[] = { "pump-1", "p", "A_b-9",
                                   "fan-drive-000000000000000000000000000000000000000000000000000000" };

static char *print(const struct config *config, bool places, size_t *size)
{
    char *text = NULL;
    FILE *file = open_memstream(&text, size);

    CLAIM(file != NULL);
    config_print(config, file, places);
    CLAIM(fclose(file) == 0);
    return text;
}

/* Every machine gets settings that hold, where a section creates it. */
static void check_machines(const struct config *config)
{
    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        struct settings settings;
        struct refusal refusal;
        bool create;

        config_settings(config, ids[i], &settings, &create);
        fuzz_check_answer(settings_check(&settings, &refusal), &refusal);
        for (size_t k = 0; k < SETTINGS_COUNT; k++)
            CLAIM((settings.origin[k] == ORIGIN_FILE) == (config_origin(config, ids[i], &settings_fields[k]) != NULL));
    }
}

/* What an input subscribes to comes back to it. */
static void check_inputs(const struct config *config)
{
    char filter[TOPIC_SIZE];
    struct topic topic;
    struct refusal refusal;

    CLAIM(config->pattern_count <= LIMIT_PATTERNS && config->input_count <= LIMIT_INPUTS);
    for (size_t i = 0; i < topic_filters(config); i++)
        CLAIM(strlen(topic_filter(config, i, filter)) > 0 && strlen(filter) < TOPIC_SIZE - 1);
    for (size_t i = 0; i < config->input_count; i++) {
        const struct config_input *input = &config->inputs[i];
        int r;

        topic_filter(config, TOPIC_KINDS + i, filter);
        for (char *c = filter; *c != '\0'; c++)
            if (*c == '+')
                *c = 'x';
        r = topic_read(config, filter, &topic, &refusal);
        fuzz_check_answer(r, &refusal);
        CLAIM(r == 0 && (topic.input == input || topic.kind == TOPIC_BIRTH));
        CLAIM(input->targets == 0 || map_channels(input) <= LIMIT_CHANNELS);
    }
}

static void check_again(const struct config *config)
{
    char message[CONFIG_MESSAGE_SIZE] = "";
    struct config again;
    size_t size, again_size;
    char *text = print(config, false, &size), *again_text;

    CLAIM(config_read(&again, fuzz_file(1, text, size), message) == 0);
    again_text = print(&again, false, &again_size);
    CLAIM(size == again_size && memcmp(text, again_text, size) == 0);
    config_free(&again);
    free(text);
    free(again_text);
    text = print(config, true, &size);
    CLAIM(config_read(&again, fuzz_file(1, text, size), message) == 0);
    config_free(&again);
    free(text);
}

/* -------------------------------------------------------------------------------------------------------------- tokens */

static void check_tokens(const struct token_list *list)
{
    struct token_list again;
    char message[TOKEN_MESSAGE_SIZE] = "", *text = NULL;
    size_t size;
    FILE *file = open_memstream(&text, &size);

    CLAIM(file != NULL && list->count <= LIMIT_TOKENS);
    for (size_t i = 0; i < list->count; i++)
        token_write(&list->tokens[i], file);
    CLAIM(fclose(file) == 0);
    CLAIM(token_list_read(&again, fuzz_file(1, text, size), message) == 0 && again.count == list->count);
    for (size_t i = 0; i < list->count; i++) {
        const struct token *token = &list->tokens[i], *other = &again.tokens[i];

        CLAIM(strcmp(token->name, other->name) == 0 && strcmp(token->machines, other->machines) == 0);
        CLAIM(token->scopes == other->scopes && token->scopes != 0 && machines_valid(token->machines));
        CLAIM(token->made == other->made && token->expires == other->expires);
        CLAIM(secret_same(token->digest, other->digest));
        CLAIM(token_list_find(list, token->name) == token);
    }
    token_list_free(&again);
    free(text);
}

static void read_tokens(const char *path)
{
    char message[TOKEN_MESSAGE_SIZE] = "";
    struct token_list list;

    if (token_list_read(&list, path, message) != 0) {
        CLAIM(strncmp(message, path, strlen(path)) == 0 && strlen(message) > strlen(path) + 2);
        return;
    }
    check_tokens(&list);
    token_list_free(&list);
}

static void read_config(const char *path)
{
    char message[CONFIG_MESSAGE_SIZE] = "";
    struct config config;

    if (config_read(&config, path, message) != 0) {
        CLAIM(strncmp(message, path, strlen(path)) == 0 && strlen(message) > strlen(path) + 2);
        CLAIM(!config.patterns && !config.inputs);
        return;
    }
    check_machines(&config);
    check_inputs(&config);
    check_again(&config);
    config_free(&config);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char mark[] = "#tokens";
    const char *path = fuzz_file(0, data, size);

    if (size >= strlen(mark) && memcmp(data, mark, strlen(mark)) == 0)
        read_tokens(path);
    else
        read_config(path);
    return 0;
}
