/* Settings of machines that REST changes: PUT, PATCH, sensitivity, and adopting pending ones. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "registry/internal.h"
#include "wire/document.h"

/* FNV-1a over the settings as JSON: changes when any of them or its origin does. */
int machine_etag(const struct machine *machine, char etag[ETAG_SIZE])
{
    char *text = wire_settings(&machine->settings, ORIGIN_DEFAULT);
    uint64_t hash = UINT64_C(0xcbf29ce484222325);

    if (!text)
        return fault(-ENOMEM);
    for (const char *c = text; *c != '\0'; c++)
        hash = (hash ^ (unsigned char)*c) * UINT64_C(0x100000001b3);
    for (size_t i = 0; i < SETTINGS_COUNT; i++)
        hash = (hash ^ machine->settings.origin[i]) * UINT64_C(0x100000001b3);
    free(text);
    snprintf(etag, ETAG_SIZE, "\"%016llx\"", (unsigned long long)hash);
    return 0;
}

bool etag_asked(const char *if_match, const char *etag)
{
    return if_match[0] == '\0' || strcmp(if_match, "*") == 0 || strstr(if_match, etag);
}

const char registry_only_new[] = "If-None-Match: *";

int check_existence(bool exists, const char *id, const char *if_match, struct refusal *refusal)
{
    if (exists && if_match == registry_only_new)
        return refuse(refusal, REFUSAL_PRECONDITION, "If-None-Match", "machine %s exists already", id);
    if (!exists && if_match != registry_only_new && if_match[0] != '\0')
        return refuse(refusal, REFUSAL_PRECONDITION, "If-Match", "no machine %s exists", id);
    return 0;
}

int machine_check_etag(const struct machine *machine, const char *if_match, struct refusal *refusal)
{
    char etag[ETAG_SIZE];
    int r = machine_etag(machine, etag);

    if (r < 0)
        return refuse_fault(refusal, r);
    if (!etag_asked(if_match, etag))
        return refuse(refusal, REFUSAL_PRECONDITION, "If-Match", "the settings are of ETag %s now: read them again",
                      etag);
    return 0;
}

/* What was learned is of one geometry, rate, unit and scale: these change only where nothing was learned. */
static int check_geometry(const struct machine *machine, const struct settings *settings, struct refusal *refusal)
{
    struct habit_config ours = machine_config(settings), before = machine_config(&machine->settings);
    struct habit_info info = { 0 };
    char text[160];

    if (habit_config_compare(&ours, &machine->engine.config) == HABIT_FIELD_NONE ||
        habit_config_compare(&ours, &before) == HABIT_FIELD_NONE) /* a conflict that was there stays one */
        return 0;
    if (habit_check(machine->memory.knowledge, machine->memory.knowledge_size, &info) == HABIT_OK && info.learned == 0)
        return 0;
    return refuse(refusal, REFUSAL_GEOMETRY, "settings", "%s: POST .../initialize first, it forgets what was learned",
                  machine_difference(&ours, &machine->engine.config, text, sizeof(text)));
}

/* Brings settings into force that were checked. */
static int adopt_settings(struct machine *machine, const struct settings *settings)
{
    struct habit_config config = machine_config(settings), before = machine_config(&machine->settings);
    bool fits = habit_config_compare(&config, &machine->engine.config) == HABIT_FIELD_NONE;
    uint32_t window = machine->settings.window;
    int r = 0;

    machine->settings = *settings;
    machine->settings_news = true;
    if (fits)
        machine->conflict = false;
    else if (habit_config_compare(&config, &before) != HABIT_FIELD_NONE)
        r = machine_renew_engine(machine);
    if (settings->window != window) {
        habit_window_init(&machine->window, settings->window);
        machine->state.memory.below = 0; /* a row of the other windows */
    }
    if (habit_get_sensitivity(&machine->engine) != settings->sensitivity)
        habit_set_sensitivity(&machine->engine, settings->sensitivity);
    return r;
}

/* forget: samples that were stored are not wanted any more. */
static int store_settings(struct registry *registry, struct machine *machine, bool forget, struct refusal *refusal)
{
    char *text = wire_settings(&machine->settings, ORIGIN_REST);
    struct store_change change = machine_change(machine, clock_now().wall);
    int r;

    if (!text) {
        machine->epoch = 0;
        machine_leave(machine);
        return refuse_fault(refusal, fault(-ENOMEM));
    }
    change.settings = text;
    change.forget_buffers = forget;
    machine_change_knowledge(machine, &change);
    r = machine_commit(registry, machine, &change, NULL, refusal);
    free(text);
    return r;
}

/* Changes an entered machine's settings and leaves it. */
static int change_settings(struct registry *registry, struct machine *machine, const struct settings *settings,
                           struct refusal *refusal)
{
    const bool forget = settings->store_buffers < machine->settings.store_buffers;
    int r = settings_check(settings, refusal);

    if (r == 0) {
        habit_seal(&machine->engine);
        r = check_geometry(machine, settings, refusal);
    }
    if (r == 0) {
        r = adopt_settings(machine, settings);
        if (r == 0 && forget)
            machine_forget_buffers(machine);
        if (r == 0)
            return store_settings(registry, machine, forget, refusal);
        machine->epoch = 0;
        r = refuse_fault(refusal, r);
    }
    machine_leave(machine);
    return r;
}

/* PUT replaces what REST has set, PATCH changes some of it. */
static int change_by_json(struct registry *registry, const char *id, bool replace, const void *json, size_t size,
                          const char *if_match, struct refusal *refusal)
{
    struct settings base, settings;
    struct machine *machine;
    bool create;
    int r = machine_enter(registry, id, &machine, refusal);

    if (r != 0)
        return r;
    registry_base_settings(registry, id, &base, &create);
    settings = replace ? base : machine->settings;
    r = machine_check_etag(machine, if_match, refusal);
    if (r == 0)
        r = wire_read_settings(json, size, &settings, &base, ORIGIN_REST, refusal);
    if (r == 0)
        return change_settings(registry, machine, &settings, refusal);
    machine_leave(machine);
    return r < 0 ? refuse_fault(refusal, r) : r;
}

static int put_new(struct registry *registry, const char *id, const void *json, size_t size, struct refusal *refusal)
{
    struct settings base, settings;
    bool create;
    int r;

    registry_base_settings(registry, id, &base, &create);
    settings = base;
    r = wire_read_settings(json, size, &settings, &base, ORIGIN_REST, refusal);
    if (r == 0)
        r = registry_create(registry, id, &settings, NULL, 0, clock_now().wall, refusal);
    return r < 0 ? refuse_fault(refusal, r) : r;
}

int registry_put(struct registry *registry, const char *id, const void *json, size_t size, const char *if_match,
                 bool *created, struct refusal *refusal)
{
    struct machine *machine;
    int r = check_id(id, refusal);

    if (r != 0)
        return r;
    pthread_mutex_lock(&registry->admin);
    machine = registry_find(registry, id);
    *created = !machine;
    if (machine)
        machine_release(machine);
    r = check_existence(machine != NULL, id, if_match, refusal);
    if (r == 0)
        r = machine ? change_by_json(registry, id, true, json, size, if_match, refusal)
                    : put_new(registry, id, json, size, refusal);
    pthread_mutex_unlock(&registry->admin);
    return r;
}

int registry_patch(struct registry *registry, const char *id, const void *json, size_t size, const char *if_match,
                   struct refusal *refusal)
{
    return change_by_json(registry, id, false, json, size, if_match, refusal);
}

int registry_set_sensitivity(struct registry *registry, const char *id, float sensitivity, const char *if_match,
                             struct refusal *refusal)
{
    struct settings settings;
    struct machine *machine;
    int r = machine_enter(registry, id, &machine, refusal);

    if (r != 0)
        return r;
    settings = machine->settings;
    r = machine_check_etag(machine, if_match, refusal);
    if (r == 0)
        r = settings_set_number(&settings, settings_find("sensitivity"), (double)sensitivity, ORIGIN_REST, refusal);
    if (r == 0)
        return change_settings(registry, machine, &settings, refusal);
    machine_leave(machine);
    return r;
}

/* ----------------------------------------------------------------------------------------------------------- adopting */

/* Bytes of one value as a format has it; 0 = no telling. */
static uint64_t value_bytes(uint32_t format)
{
    return format == FORMAT_F32 ? 4 : format == FORMAT_JSON ? 0 : 2;
}

static void derive_buffer_size(struct settings *settings, const struct pending *pending)
{
    uint64_t bytes = value_bytes(settings->format) * settings->axes;

    if (settings->buffer_size != 0 || bytes == 0 || pending->format == FORMAT_JSON || pending->bytes % bytes != 0 ||
        pending->bytes / bytes > 4096)
        return;
    settings->buffer_size = (uint32_t)(pending->bytes / bytes);
    settings->origin[SETTING_buffer_size] = ORIGIN_REST;
}

int registry_adopt(struct registry *registry, const char *id, const void *json, size_t size, struct refusal *refusal)
{
    struct settings base, settings;
    struct pending pending;
    bool create;
    int r = check_id(id, refusal);

    if (r != 0)
        return r;
    if (!pending_find(registry->pending, id, &pending))
        return refuse(refusal, REFUSAL_NOT_FOUND, "machine", "%s is not pending: GET /v1/pending lists those that are",
                      id);
    registry_base_settings(registry, id, &base, &create);
    settings = base;
    r = wire_read_settings(json, size, &settings, &base, ORIGIN_REST, refusal);
    if (r != 0)
        return r < 0 ? refuse_fault(refusal, r) : r;
    derive_buffer_size(&settings, &pending);
    pthread_mutex_lock(&registry->admin);
    r = registry_create(registry, id, &settings, NULL, 0, clock_now().wall, refusal);
    pthread_mutex_unlock(&registry->admin);
    return r;
}
