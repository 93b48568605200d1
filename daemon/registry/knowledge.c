/* What people do to the knowledge of a machine: commission, initialize, download, upload. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "registry/internal.h"
#include "wire/document.h"

uint32_t machine_crc(struct machine *machine)
{
    struct habit_info info = { 0 };

    habit_seal(&machine->engine);
    habit_check(machine->memory.knowledge, machine->memory.knowledge_size, &info);
    return info.crc;
}

void machine_clear_window(struct machine *machine)
{
    habit_window_init(&machine->window, machine->settings.window);
    machine->state.memory.below = 0;
    suspects_clear(&machine->suspects);
    recent_forget(machine);
}

void machine_choose_phase(struct machine *machine, int64_t steady)
{
    struct habit_progress progress = { 0 };

    habit_status(&machine->engine, &progress);
    if (progress.learned == 0)
        strategy_forget(&machine->state, steady);
    else if (progress.needed > 0)
        strategy_start_learning(&machine->state, steady);
    else
        strategy_start_watching(&machine->state, steady);
}

static struct store_change change_of(struct machine *machine, const struct replacement *replacement,
                                     const struct episode_log *log, int64_t at)
{
    static const struct store_candidate none;
    struct store_change change = machine_change(machine, at);

    change.snapshot = replacement->reason;
    change.snapshot_note = replacement->note;
    change.restored = replacement->restored;
    change.forget_commissioning = replacement->forget;
    change.candidate = replacement->forget ? &none : replacement->candidate; /* it is of what is forgotten */
    change.mute = replacement->mute;
    episode_log_change(log, &change);
    machine_change_knowledge(machine, &change);
    return change;
}

int machine_commit_replaced(struct registry *registry, struct machine *machine, int r,
                            const struct replacement *replacement, int64_t at, struct episode_log *log,
                            struct refusal *refusal)
{
    char *settings = wire_settings(&machine->settings, ORIGIN_REST); /* a block brings its sensitivity */
    struct store_change change;

    if (r == 0 && !settings)
        r = fault(-ENOMEM);
    if (r == 0) {
        if (replacement->forget) {
            machine->commissioning_count = 0;
            machine->commissioning_bytes = 0;
            machine->shadow = shadow_free(machine->shadow);
        }
        change = change_of(machine, replacement, log, at);
        change.settings = settings;
        r = machine_commit(registry, machine, &change, NULL, refusal);
    } else {
        machine->epoch = 0;
        machine_leave(machine);
        r = refuse_fault(refusal, r);
    }
    episode_log_free(log);
    free(settings);
    return r;
}

int registry_commission(struct registry *registry, const char *id, struct moment now, struct refusal *refusal)
{
    struct store_change change;
    struct machine *machine;
    bool watched;
    int r = machine_enter(registry, id, &machine, refusal);

    if (r != 0)
        return r;
    if (machine->settings.paused) {
        machine_leave(machine);
        return refuse(refusal, REFUSAL_STATE, "paused", "machine %s is paused: PATCH {\"paused\": false} first", id);
    }
    machine_join_time(machine, registry_steady(registry, now));
    watched = machine->state.phase == PHASE_WATCHING;
    machine->enriched = registry_steady(registry, now);
    strategy_start_learning(&machine->state, machine->enriched);
    change = machine_change(machine, now.wall);
    change.snapshot = watched ? SNAPSHOT_ENRICH : NULL;
    return machine_commit(registry, machine, &change, NULL, refusal);
}

int machine_forget(struct registry *registry, struct machine *machine, struct moment now, struct episode_log *log)
{
    int r = episode_close(registry, machine, now.wall, log);

    if (r == 0)
        r = machine_renew_engine(machine);
    machine_join_time(machine, registry_steady(registry, now));
    machine_clear_window(machine);
    strategy_forget(&machine->state, registry_steady(registry, now));
    memset(&machine->last, 0, sizeof(machine->last));
    return r;
}

int registry_initialize(struct registry *registry, const char *id, struct moment now, struct refusal *refusal)
{
    struct episode_log log = { 0 };
    struct machine *machine;
    int r = machine_enter(registry, id, &machine, refusal);

    if (r != 0)
        return r;
    r = machine_forget(registry, machine, now, &log);
    return machine_commit_replaced(registry, machine, r,
                                   &(struct replacement){ .reason = SNAPSHOT_INIT, .forget = true }, now.wall, &log,
                                   refusal);
}

int registry_get_knowledge(struct registry *registry, const char *id, void **bytes, size_t *size, uint32_t *crc,
                           struct refusal *refusal)
{
    struct habit_info info = { 0 };
    struct machine *machine;
    void *copy;
    int r = machine_enter(registry, id, &machine, refusal);

    if (r != 0)
        return r;
    copy = malloc(machine->memory.knowledge_size);
    if (copy) {
        habit_seal(&machine->engine);
        memcpy(copy, machine->memory.knowledge, machine->memory.knowledge_size);
        habit_check(copy, machine->memory.knowledge_size, &info);
        *bytes = copy;
        *size = machine->memory.knowledge_size;
        *crc = info.crc;
    }
    machine_leave(machine);
    return copy ? 0 : refuse_fault(refusal, fault(-ENOMEM));
}

/* A block says what it is of: buffer_size and the like are settings then, as if REST had set them, within the same bounds: the engine takes
 * rates and scales that no setting has. */
static int settings_of_block(struct settings *settings, const struct habit_info *info, struct refusal *refusal)
{
    const struct {
        enum settings_key key;
        double value;
    } numbers[] = {
        { SETTING_buffer_size, info->config.buffer_size },         { SETTING_axes, info->config.axes },
        { SETTING_sampling_hz, (double)info->config.sampling_hz }, { SETTING_scale, (double)info->config.scale },
        { SETTING_sensitivity, (double)info->sensitivity },
    };
    const struct settings_field *unit = &settings_fields[SETTING_unit], *profile = &settings_fields[SETTING_profile];
    char text[sizeof(info->config.unit) + 1] = "";
    int r = 0;

    for (size_t i = 0; r == 0 && i < sizeof(numbers) / sizeof(numbers[0]); i++)
        r = settings_set_number(settings, &settings_fields[numbers[i].key], numbers[i].value, ORIGIN_REST, refusal);
    memcpy(text, info->config.unit, sizeof(info->config.unit));
    if (r == 0)
        r = settings_set_text(settings, unit, text, ORIGIN_REST, refusal);
    if (r == 0)
        r = settings_set_text(settings, profile, settings_choices(profile)[info->config.profile], ORIGIN_REST, refusal);
    return r;
}

static int check_match(const struct machine *machine, const struct habit_info *info, struct refusal *refusal)
{
    struct habit_config ours = machine_config(&machine->settings);
    char text[160];

    if (habit_config_compare(&ours, &info->config) == HABIT_FIELD_NONE)
        return 0;
    return refuse(refusal, REFUSAL_KNOWLEDGE, "knowledge", "%s: a block of another sensor is refused",
                  machine_difference(&ours, &info->config, text, sizeof(text)));
}

void registry_knowledge_etag(uint32_t crc, char etag[ETAG_SIZE])
{
    snprintf(etag, ETAG_SIZE, "\"%08x\"", crc);
}

static int check_block_etag(struct machine *machine, const char *if_match, struct refusal *refusal)
{
    struct habit_info info = { 0 };
    char etag[ETAG_SIZE];

    habit_seal(&machine->engine);
    habit_check(machine->memory.knowledge, machine->memory.knowledge_size, &info);
    registry_knowledge_etag(info.crc, etag);
    if (etag_asked(if_match, etag))
        return 0;
    return refuse(refusal, REFUSAL_PRECONDITION, "If-Match", "the knowledge is of ETag %s now", etag);
}

static int replace_by_block(struct registry *registry, const char *id, const void *bytes, size_t size,
                            const char *if_match, const struct habit_info *info, const struct settings *told,
                            int64_t now, struct refusal *refusal)
{
    const struct settings_field *sensitivity = &settings_fields[SETTING_sensitivity];
    struct episode_log log = { 0 };
    struct machine *machine;
    int r = machine_enter(registry, id, &machine, refusal);

    if (r != 0)
        return r;
    r = check_match(machine, info, refusal);
    if (r == 0)
        r = check_block_etag(machine, if_match, refusal);
    if (r != 0) {
        machine_leave(machine);
        return r;
    }
    r = episode_close(registry, machine, now, &log);
    if (r == 0 && machine->conflict)
        r = machine_renew_engine(machine);
    if (r == 0 && habit_load(&machine->engine, bytes, size) != HABIT_OK)
        r = fault(-EINVAL);
    machine_clear_window(machine);
    machine_join_time(machine, now - registry->skew);
    machine_choose_phase(machine, now - registry->skew);
    if (!settings_equal(&machine->settings, told, sensitivity))
        settings_copy(&machine->settings, told, sensitivity);
    return machine_commit_replaced(
        registry, machine, r, &(struct replacement){ .reason = SNAPSHOT_UPLOAD, .forget = true }, now, &log, refusal);
}

static int refuse_block(const void *bytes, size_t size, int status, struct refusal *refusal)
{
    struct habit_info info;

    if (status == HABIT_EVERSION && habit_peek(bytes, size, &info) == HABIT_OK)
        return refuse(refusal, REFUSAL_KNOWLEDGE, "knowledge",
                      "a block of format version %u; this habitd reads version %d", info.format, HABIT_FORMAT_VERSION);
    return refuse(refusal, REFUSAL_KNOWLEDGE, "knowledge", "%s (%zu bytes)", habit_text(status), size);
}

/* With the registry's admin lock held. */
static int put_block(struct registry *registry, const char *id, const void *bytes, size_t size, const char *if_match,
                     const struct habit_info *info, int64_t now, bool *created, struct refusal *refusal)
{
    struct machine *machine = registry_find(registry, id);
    struct settings told;
    bool create;
    int r;

    *created = !machine;
    if (machine)
        machine_release(machine);
    registry_base_settings(registry, id, &told, &create);
    r = settings_of_block(&told, info, refusal);
    if (r != 0)
        return r;
    r = check_existence(machine != NULL, id, if_match, refusal);
    if (r != 0)
        return r;
    if (machine)
        return replace_by_block(registry, id, bytes, size, if_match, info, &told, now, refusal);
    return registry_create(registry, id, &told, bytes, size, now, refusal);
}

int registry_put_knowledge(struct registry *registry, const char *id, const void *bytes, size_t size,
                           const char *if_match, struct moment now, bool *created, struct refusal *refusal)
{
    struct habit_info info;
    int r = check_id(id, refusal);
    int status = habit_check(bytes, size, &info);

    if (r != 0)
        return r;
    if (status != HABIT_OK)
        return refuse_block(bytes, size, status, refusal);
    pthread_mutex_lock(&registry->admin);
    r = put_block(registry, id, bytes, size, if_match, &info, now.wall, created, refusal);
    pthread_mutex_unlock(&registry->admin);
    return r;
}
