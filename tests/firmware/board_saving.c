/* Saving on an emulated board: the power-cut campaign in small, and on the microbit the nRF52 port on the emulator's own model
 * of the flash controller, with a restart in between. */
#include <string.h>

#include "../../firmware/saving/ports/nrf52/flash.h"
#include "../board/board.h"
#include "cuts.h"

#include "habit/sizes.h"

static void put_number(uint32_t number)
{
    char digits[11];
    char *digit = digits + sizeof(digits);

    *--digit = '\0';
    do
        *--digit = (char)('0' + number % 10);
    while ((number /= 10) > 0);
    board_put(digit);
}

static void put_figure(const char *name, uint32_t number)
{
    board_put(name);
    put_number(number);
}

static bool cut(uint32_t unit_size, uint32_t saves, uint32_t second)
{
    struct cuts cuts = { .buffer_size = 1,
                         .axes = 1,
                         .profile = HABIT_PROFILE_SMALL,
                         .unit_size = unit_size,
                         .page_size = 256,
                         .slot_size = 768,
                         .slots = 2,
                         .busy_polls = 1,
                         .saves = saves,
                         .second = second };
    const char *wrong = cuts_run(&cuts);

    put_figure("unit ", unit_size);
    put_figure(": cuts ", cuts.first_cuts);
    put_figure(", second cuts ", cuts.second_cuts);
    board_put(wrong ? ", WRONG: " : "\n");
    if (wrong) {
        board_put(wrong);
        put_figure(" at save ", cuts.save);
        put_figure(", torn ", cuts.torn);
        put_figure(", cut ", cuts.cut);
        put_figure(", again ", cuts.again);
        board_put("\n");
    }
    return !wrong;
}

#if SAVING_NRF

/* QEMU's microbit is an nRF51: pages of 1 KiB, the same controller without partial erase. */
enum { SLOTS_AT = 0x30000, PAGE = 1024, NO_KNOWLEDGE = 0, WORDS = HABIT_KNOWLEDGE_SIZE(1, 1, HABIT_PROFILE_SMALL) / 4 };

static uint32_t knowledge[WORDS], saved[WORDS], cache[64], scratch[128];
static struct habit_flash_nrf52 port;
static struct habit_save save;
static struct habit_engine engine;

/* As after a reset: nothing in RAM. Returns how many buffers the loaded knowledge learned, or an error. */
static int restart(void)
{
    const struct habit_nrf52_place place = {
        .address = (void *)SLOTS_AT, .page_size = PAGE, .slot_size = PAGE, .slots = 2 /* erased at once */
    };
    const struct habit_config config = { .buffer_size = 1, .axes = 1, .profile = HABIT_PROFILE_SMALL, .scale = 1.0f };
    const struct habit_memory memory = { knowledge, sizeof(knowledge), cache, sizeof(cache), scratch, sizeof(scratch) };
    struct habit_info found;
    int result;

    memset(knowledge, 0xa5, sizeof(knowledge));
    memset(&save, 0xa5, sizeof(save));
    if (!habit_flash_nrf52_init(&port, (struct habit_nrf52_registers *)HABIT_NRF52_REGISTERS, &place))
        return -1000;
    result = habit_init(&engine, &config, &memory);
    if (result == HABIT_OK)
        result = habit_save_open(&save, &port.flash, 0);
    if (result == HABIT_OK)
        result = habit_save_load(&save, &engine, &found);
    if (result == HABIT_SAVE_ENONE)
        return NO_KNOWLEDGE;
    return result == HABIT_OK ? (int)found.learned : result;
}

static bool save_on_chip(void)
{
    int learned = restart();

    if (learned != NO_KNOWLEDGE)
        return false;
    for (int round = 1; round <= 6; round++) {
        const float sample = 0.25f * (float)round;

        if (habit_learn(&engine, &sample, 1, NULL) != HABIT_OK ||
            habit_save_begin(&save, &engine, HABIT_SAVE_INTERVAL) != HABIT_OK || habit_save_finish(&save) != HABIT_OK)
            return false;
        memcpy(saved, knowledge, sizeof(saved));
        learned = restart();
        if (learned != round || memcmp(knowledge, saved, sizeof(saved)) != 0)
            return false;
    }
    put_figure("nRF flash controller: 6 saves, loaded again; erases of slot 0: ", save.slot[0].record.erases);
    board_put("\n");
    return true;
}

#else

static bool save_on_chip(void)
{
    return true;
}

#endif

int main(void)
{
    bool good = cut(8, 3, 7);

    good &= cut(32, 3, 1);
    if (!save_on_chip()) {
        board_put("WRONG: the chip's own flash\n");
        good = false;
    }
    board_put(good ? "saving: good\n" : "saving: WRONG\n");
    return good ? 0 : 1;
}
