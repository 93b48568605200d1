/* jansson 2.14 ends the process (an assertion in its lexer) where memory runs out while it reads a number or a name. So what
 * malloc refuses during a parse comes out of a spare block that was there before, the text ends at once for the parser, and all
 * that it made is thrown away. */
#include "wire/parse.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* The parser reads ahead by READ_AHEAD bytes, of which each can cost some 80; of the text itself, the longest token can be in
 * memory some times, and an array of its numbers as pointers. */
enum { READ_AHEAD = 1024, SPARE_LEAST = 128 * READ_AHEAD, SPARE_PER_BYTE = 16, ALIGNMENT = 16 };

struct parse {
    const char *text;
    size_t size, read;
    unsigned char *spare; /* heap */
    size_t room, used;
    bool failed;
};

static _Thread_local struct parse *under_way;
static json_malloc_t next_malloc = malloc;
static json_free_t next_free = free;

static void *allocate(size_t size)
{
    void *memory = next_malloc(size);
    struct parse *parse = under_way;
    size_t taken = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;

    if (memory || !parse)
        return memory;
    parse->failed = true;
    if (taken < size || taken > parse->room - parse->used)
        return NULL;
    memory = parse->spare + parse->used;
    parse->used += taken;
    return memory;
}

static void release(void *memory)
{
    const struct parse *parse = under_way;
    uintptr_t at = (uintptr_t)memory;

    if (!parse || at < (uintptr_t)parse->spare || at >= (uintptr_t)parse->spare + parse->room)
        next_free(memory);
}

void wire_parse_begin(void)
{
    json_malloc_t reserve;
    json_free_t give_back;

    json_get_alloc_funcs(&reserve, &give_back);
    if (reserve == allocate)
        return;
    next_malloc = reserve;
    next_free = give_back;
    json_set_alloc_funcs(allocate, release);
}

/* Behind an allocation that failed there is no more text. */
static size_t read_on(void *buffer, size_t size, void *user)
{
    struct parse *parse = user;
    size_t left = parse->failed ? 0 : parse->size - parse->read, count = left < size ? left : size;

    memcpy(buffer, parse->text + parse->read, count);
    parse->read += count;
    return count;
}

json_t *wire_parse(const void *bytes, size_t size, size_t flags, json_error_t *error)
{
    struct parse parse = { .text = bytes, .size = size, .room = SPARE_LEAST + SPARE_PER_BYTE * size };
    json_error_t own;
    json_t *root;

    error = error ? error : &own;
    error->text[0] = '\0';
    parse.spare = malloc(parse.room);
    if (!parse.spare)
        return NULL;
    under_way = &parse;
    root = json_load_callback(read_on, &parse, flags, error);
    if (parse.failed) {
        json_decref(root);
        root = NULL;
        error->text[0] = '\0';
    }
    under_way = NULL;
    free(parse.spare);
    return root;
}

json_t *wire_parse_text(const char *text)
{
    return text ? wire_parse(text, strlen(text), JSON_DECODE_ANY, NULL) : NULL;
}
