#include "emulated.h"

#include <string.h>

enum unit { ERASED, WRITTEN, FAULTY, WEAK, FICKLE };

/* Xorshift after Marsaglia, Journal of Statistical Software 8 (2003); its upper half. Never 0. */
static uint32_t next(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state >> 16;
}

static uint32_t chance(struct habit_flash_emulated *emulated)
{
    return next(&emulated->seed);
}

static uint32_t total(const struct habit_flash_emulated *emulated)
{
    return emulated->flash.slots * emulated->flash.slot_size;
}

static bool mistake(struct habit_flash_emulated *emulated, bool is_one)
{
    if (is_one)
        emulated->mistakes++;
    return is_one;
}

static enum habit_flash_bad badness(const struct habit_flash_emulated *emulated, uint32_t offset)
{
    return offset / emulated->flash.page_size == emulated->bad_page ? (enum habit_flash_bad)emulated->bad
                                                                    : HABIT_BAD_NONE;
}

/* ---------------------------------------------------------------------------------------------------------- reading */

/* Of a unit that is in doubt: what it holds, erased, something between, or a fault. */
static bool read_doubtful(uint32_t unit_size, const uint8_t *stored, uint8_t *to, uint32_t *state)
{
    const uint32_t what = next(state) & 3u;

    for (uint32_t i = 0; i < unit_size; i++)
        to[i] = what == 0 ? stored[i] : what == 1 ? 0xffu : (uint8_t)(stored[i] | next(state));
    return what != 3;
}

/* The same at every reading until the next start. */
static bool read_weak(const struct habit_flash_emulated *emulated, uint32_t offset, uint8_t *to)
{
    uint32_t state = (emulated->boots + 1) * 0x9e3779b1u ^ offset * 0x85ebca6bu;

    state |= 1u;
    (void)next(&state);
    return read_doubtful(emulated->flash.unit_size, emulated->bytes + offset, to, &state);
}

static bool read_unit(struct habit_flash_emulated *emulated, uint32_t offset, uint8_t *to)
{
    const uint32_t unit_size = emulated->flash.unit_size;

    memcpy(to, emulated->bytes + offset, unit_size);
    if (badness(emulated, offset) == HABIT_BAD_BIT_STUCK)
        to[0] &= 0xfeu;
    switch ((enum unit)emulated->units[offset / unit_size]) {
    case ERASED:
        return !emulated->blank_faults;
    case FAULTY:
        return false;
    case WEAK:
        return read_weak(emulated, offset, to);
    case FICKLE:
        return read_doubtful(unit_size, emulated->bytes + offset, to, &emulated->seed);
    default:
        return badness(emulated, offset) != HABIT_BAD_READ_FAILS;
    }
}

static enum habit_flash_status emulated_read(void *context, uint32_t offset, void *bytes, uint32_t size)
{
    struct habit_flash_emulated *emulated = context;
    const uint32_t unit_size = emulated->flash.unit_size, page_size = emulated->flash.page_size;
    bool readable = emulated->power;
    uint8_t *to = bytes;

    if (mistake(emulated, emulated->polls > 0 || offset % unit_size != 0 || size % unit_size != 0 || size == 0 ||
                              offset >= total(emulated) || size > page_size - offset % page_size))
        return HABIT_FLASH_FAILED;
    for (uint32_t at = 0; at < size; at += unit_size)
        readable &= read_unit(emulated, offset + at, to + at);
    return readable ? HABIT_FLASH_DONE : HABIT_FLASH_FAILED;
}

/* ------------------------------------------------------------------------------------------------------- operations */

static bool cut_now(struct habit_flash_emulated *emulated)
{
    emulated->operations++;
    if (emulated->cut_after == HABIT_EMULATED_NEVER || emulated->cut_after-- > 0)
        return false;
    emulated->power = false;
    return true;
}

/* Bits of one byte that was to become `wanted`: each has changed or has not. */
static uint8_t torn_byte(struct habit_flash_emulated *emulated, uint8_t before, uint8_t wanted)
{
    const uint8_t done = (uint8_t)chance(emulated);

    return (uint8_t)((before & ~done) | (wanted & done));
}

/* A unit at which an operation was cut short. */
static void tear(struct habit_flash_emulated *emulated, uint32_t offset, const uint8_t *wanted, enum unit after)
{
    const uint32_t unit_size = emulated->flash.unit_size;
    uint8_t *bytes = emulated->bytes + offset, *unit = &emulated->units[offset / unit_size];
    static const uint8_t left[HABIT_TORN_MODES] = { [HABIT_TORN_PARTLY] = WRITTEN,
                                                    [HABIT_TORN_FAULT] = FAULTY,
                                                    [HABIT_TORN_WEAK] = WEAK,
                                                    [HABIT_TORN_FICKLE] = FICKLE };

    switch ((enum habit_flash_torn)emulated->torn) {
    case HABIT_TORN_NOTHING:
        return;
    case HABIT_TORN_WHOLE:
        memcpy(bytes, wanted, unit_size);
        *unit = (uint8_t)after;
        return;
    case HABIT_TORN_PARTLY:
        for (uint32_t i = 0; i < unit_size; i++)
            bytes[i] = torn_byte(emulated, bytes[i], wanted[i]);
        break;
    default: /* of what was there and what was to come, whichever is not erased */
        for (uint32_t i = 0; i < unit_size; i++)
            bytes[i] &= wanted[i];
        break;
    }
    *unit = left[emulated->torn];
}

/* What a lying driver had not written yet when power went. */
static void lose_flying(struct habit_flash_emulated *emulated)
{
    const uint32_t unit_size = emulated->flash.unit_size;

    for (uint32_t i = 0; i < emulated->used; i++)
        if ((chance(emulated) & 1u) != 0) {
            memset(emulated->bytes + emulated->flying[i] * unit_size, 0xff, unit_size);
            emulated->units[emulated->flying[i]] = ERASED;
        }
    emulated->used = 0;
}

static void fly(struct habit_flash_emulated *emulated, uint32_t unit)
{
    if (emulated->window == 0)
        return;
    if (emulated->used == emulated->window)
        memmove(emulated->flying, emulated->flying + 1, (--emulated->used) * sizeof(emulated->flying[0]));
    emulated->flying[emulated->used++] = unit;
}

static enum habit_flash_status started(struct habit_flash_emulated *emulated)
{
    emulated->polls = emulated->busy_polls;
    return emulated->busy_polls > 0 ? HABIT_FLASH_BUSY : HABIT_FLASH_DONE;
}

static bool put_off(struct habit_flash_emulated *emulated)
{
    return emulated->put_off > 0 && ++emulated->starts % emulated->put_off == 0;
}

static void program(struct habit_flash_emulated *emulated, uint32_t offset, const uint8_t *wanted)
{
    const uint32_t unit_size = emulated->flash.unit_size, unit = offset / unit_size;

    if (mistake(emulated, emulated->write_once && emulated->units[unit] == WRITTEN)) {
        emulated->units[unit] = FAULTY;
        return;
    }
    for (uint32_t i = 0; i < unit_size; i++)
        emulated->bytes[offset + i] &= wanted[i];
    if (emulated->units[unit] == ERASED)
        emulated->units[unit] = WRITTEN;
    fly(emulated, unit);
}

static enum habit_flash_status emulated_start_program(void *context, uint32_t offset, const void *bytes)
{
    struct habit_flash_emulated *emulated = context;
    const enum habit_flash_bad bad = badness(emulated, offset);

    if (mistake(emulated, emulated->polls > 0 || offset % emulated->flash.unit_size != 0 || offset >= total(emulated)))
        return HABIT_FLASH_FAILED;
    if (!emulated->power)
        return HABIT_FLASH_FAILED;
    if (put_off(emulated))
        return HABIT_FLASH_LATER;
    if (cut_now(emulated)) {
        if (bad != HABIT_BAD_PROGRAM_FAILS && bad != HABIT_BAD_PROGRAM_IGNORED)
            tear(emulated, offset, bytes, WRITTEN);
        lose_flying(emulated);
        return HABIT_FLASH_FAILED;
    }
    if (bad == HABIT_BAD_PROGRAM_FAILS)
        return HABIT_FLASH_FAILED;
    if (bad != HABIT_BAD_PROGRAM_IGNORED)
        program(emulated, offset, bytes);
    return started(emulated);
}

static void erase(struct habit_flash_emulated *emulated, uint32_t offset, bool torn)
{
    const uint32_t unit_size = emulated->flash.unit_size;
    uint8_t blank[HABIT_SAVE_MOST_UNIT];

    memset(blank, 0xff, sizeof(blank));
    for (uint32_t at = offset; at < offset + emulated->flash.page_size; at += unit_size) {
        if (torn) {
            tear(emulated, at, blank, ERASED);
        } else {
            memset(emulated->bytes + at, 0xff, unit_size);
            emulated->units[at / unit_size] = ERASED;
        }
    }
}

static enum habit_flash_status emulated_start_erase(void *context, uint32_t offset)
{
    struct habit_flash_emulated *emulated = context;
    const enum habit_flash_bad bad = badness(emulated, offset);

    if (mistake(emulated, emulated->polls > 0 || offset % emulated->flash.page_size != 0 || offset >= total(emulated)))
        return HABIT_FLASH_FAILED;
    if (!emulated->power)
        return HABIT_FLASH_FAILED;
    if (put_off(emulated))
        return HABIT_FLASH_LATER;
    emulated->used = 0; /* a driver that lies about programming still erases behind it */
    if (offset % emulated->flash.slot_size == 0)
        emulated->erases[offset / emulated->flash.slot_size]++;
    if (cut_now(emulated)) {
        if (bad != HABIT_BAD_ERASE_FAILS && bad != HABIT_BAD_ERASE_IGNORED)
            erase(emulated, offset, true);
        return HABIT_FLASH_FAILED;
    }
    if (bad == HABIT_BAD_ERASE_FAILS)
        return HABIT_FLASH_FAILED;
    if (bad != HABIT_BAD_ERASE_IGNORED)
        erase(emulated, offset, false);
    return started(emulated);
}

static enum habit_flash_status emulated_poll(void *context)
{
    struct habit_flash_emulated *emulated = context;

    if (mistake(emulated, emulated->polls == 0))
        return HABIT_FLASH_FAILED;
    return --emulated->polls > 0 ? HABIT_FLASH_BUSY : HABIT_FLASH_DONE;
}

/* ------------------------------------------------------------------------------------------------------------ power */

void habit_flash_emulated_init(struct habit_flash_emulated *emulated, uint32_t unit_size, uint32_t page_size,
                               uint32_t slot_size, uint32_t slots, uint8_t *bytes, uint8_t *units)
{
    const struct habit_flash flash = { unit_size,
                                       page_size,
                                       slot_size,
                                       slots,
                                       emulated,
                                       emulated_read,
                                       emulated_start_program,
                                       emulated_start_erase,
                                       emulated_poll };

    memset(emulated, 0, sizeof(*emulated));
    emulated->flash = flash;
    emulated->bytes = bytes;
    emulated->units = units;
    emulated->write_once = true;
    emulated->cut_after = HABIT_EMULATED_NEVER;
    emulated->seed = 1;
    emulated->power = true;
    memset(bytes, 0xff, total(emulated));
    memset(units, ERASED, total(emulated) / unit_size);
}

void habit_flash_emulated_restart(struct habit_flash_emulated *emulated)
{
    emulated->boots++;
    emulated->power = true;
    emulated->cut_after = HABIT_EMULATED_NEVER;
    emulated->polls = 0;
    emulated->used = 0;
}
