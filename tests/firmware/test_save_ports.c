/* The ports, each on a model of its part: registers are memory, and what the part would do is done between two calls. That
 * shows the order of accesses that a port makes, not the part's timing or faults: those need the part. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <zephyr/storage/flash_map.h>

#include "habit/sizes.h"

#include "../../firmware/saving/ports/nrf52/flash.h"
#include "../../firmware/saving/ports/nrf52/softdevice.h"
#include "../../firmware/saving/ports/stm32l4/flash.h"
#include "../../firmware/saving/ports/template/flash.h"
#include "../../firmware/saving/ports/zephyr/flash.h"

enum { PAGE = 4096, SLOTS = 2, SIZE = SLOTS * PAGE, LATER = HABIT_SAVE_INTERVAL };
enum { BLOCK = HABIT_KNOWLEDGE_SIZE(1, 1, HABIT_PROFILE_SMALL), HEADERS = 2 * 32 };

/* ------------------------------------------------------------------------------------------------------ one suite for all */

static _Alignas(4096) uint8_t array[SIZE]; /* the part's flash */
static uint32_t knowledge[1024], cache[512], scratch[512];
static const struct habit_config config = { .buffer_size = 1, .axes = 1, .profile = HABIT_PROFILE_SMALL, .scale = 1 };
static const struct habit_memory memory = {
    knowledge, sizeof(knowledge), cache, sizeof(cache), scratch, sizeof(scratch)
};

static void learn(struct habit_engine *engine, unsigned int buffers)
{
    static uint32_t seed = 1;

    while (buffers-- > 0) {
        float sample;

        seed = seed * 1664525u + 1013904223u;
        sample = (float)(seed >> 16);
        assert_int_equal(habit_learn(engine, &sample, 1, NULL), HABIT_OK);
    }
}

/* Saves and loads through a port. `between`: what the part does after each step. */
static void save_and_load(const struct habit_flash *flash, void (*between)(void))
{
    struct habit_engine engine;
    struct habit_save save;
    struct habit_info found;
    uint32_t saved[BLOCK / 4];
    int result;

    memset(array, 0x5a, sizeof(array));
    assert_int_equal(habit_knowledge_size(&config), sizeof(saved));
    assert_int_equal(habit_init(&engine, &config, &memory), HABIT_OK);
    for (unsigned int round = 1; round <= 5; round++) {
        learn(&engine, 3);
        assert_int_equal(habit_save_open(&save, flash, 0), HABIT_OK);
        assert_int_equal(habit_save_begin(&save, &engine, LATER), HABIT_OK);
        do {
            result = habit_save_step(&save);
            between();
        } while (result == HABIT_SAVE_BUSY);
        assert_int_equal(result, HABIT_OK);
        memcpy(saved, knowledge, sizeof(saved));
        assert_int_equal(habit_init(&engine, &config, &memory), HABIT_OK);
        assert_int_equal(habit_save_open(&save, flash, 0), HABIT_OK);
        assert_int_equal(habit_save_load(&save, &engine, &found), HABIT_OK);
        assert_memory_equal(knowledge, saved, sizeof(saved));
        assert_int_equal(found.learned, 3 * round);
    }
}

static void nothing(void)
{
}

/* ----------------------------------------------------------------------------------------------------------------- STM32L4 */

static struct habit_stm32l4_registers stm32;
static struct habit_flash_stm32l4 stm32_port;
static uint32_t stm32_erases, stm32_units;

enum { STM32_BASE_PAGE = 7 };

/* An erase or a unit that was begun becomes done; flags that were cleared by writing 1 read 0. */
static void stm32_part(void)
{
    const uint32_t control = stm32.cr;

    stm32.sr = 0;
    if ((control >> 16 & 1u) != 0) { /* STRT */
        const uint32_t page = (control >> 3 & 0xffu) - STM32_BASE_PAGE;

        assert_true((control & 2u) != 0 && page < SLOTS); /* PER, and one of ours */
        assert_true((control >> 11 & 1u) != 0);           /* BKER: the port was told bank 2 */
        assert_int_equal(stm32.keyr, 0xcdef89ab);
        memset(array + page * PAGE, 0xff, PAGE);
        stm32_erases++;
    }
    stm32_units += control & 1u;
    stm32.cr = control & ~(1u << 16);
}

static void stm32_start(void)
{
    const struct habit_stm32l4_place place = { .address = array,
                                               .bank = (uintptr_t)array - STM32_BASE_PAGE * PAGE,
                                               .second_bank = true,
                                               .page_size = PAGE,
                                               .slot_size = PAGE,
                                               .slots = SLOTS };

    memset(&stm32, 0, sizeof(stm32));
    stm32.cr = 1u << 31;
    stm32.acr = 1u << 10;
    assert_true(habit_flash_stm32l4_init(&stm32_port, &stm32, &place));
}

static void test_stm32l4(void **state)
{
    (void)state;
    stm32_start();
    save_and_load(&stm32_port.flash, stm32_part);
    assert_int_equal(stm32_erases, 5);
    assert_int_equal(stm32_units, 5 * ((BLOCK + 7) / 8 + HEADERS / 8));
    assert_int_equal(stm32.cr, 1u << 31); /* locked, nothing left on */
    assert_int_equal(stm32.acr, 1u << 10);
}

static void test_stm32l4_waits_for_others_reports_errors_and_faults(void **state)
{
    const struct habit_flash *flash = &stm32_port.flash;
    struct habit_stm32l4_place place = { .address = array, .bank = (uintptr_t)array - 100, .page_size = PAGE };
    uint32_t words[8] = { 1, 2 };

    (void)state;
    stm32_start();
    stm32.sr = 1u << 16;
    assert_int_equal(flash->start_program(flash->context, 0, words), HABIT_FLASH_LATER);
    assert_int_equal(flash->start_erase(flash->context, 0), HABIT_FLASH_LATER);
    stm32.sr = 0;
    assert_int_equal(flash->start_program(flash->context, 0, words), HABIT_FLASH_BUSY);
    stm32.sr = 1u << 16;
    assert_int_equal(flash->poll(flash->context), HABIT_FLASH_BUSY);
    stm32.sr = 1u << 3;
    assert_int_equal(flash->poll(flash->context), HABIT_FLASH_FAILED);
    assert_int_equal(flash->read(flash->context, 0, words, 32), HABIT_FLASH_DONE);
    stm32.eccr = 1u << 31;
    assert_int_equal(flash->read(flash->context, 0, words, 32), HABIT_FLASH_FAILED);
    assert_true(habit_flash_stm32l4_nmi(&stm32_port));
    stm32.eccr = 0;
    assert_false(habit_flash_stm32l4_nmi(&stm32_port));
    assert_false(habit_flash_stm32l4_init(&stm32_port, &stm32, &place));
}

/* ------------------------------------------------------------------------------------------------------------------- nRF52 */

static struct habit_nrf52_registers nrf;
static struct habit_flash_nrf52 nrf_port;
static uint32_t nrf_parts[SLOTS], nrf_allowed, nrf_asked;

enum { NRF_PART = 10, NRF_PARTS = 9 };

/* A page is erased when all parts were done. */
static void nrf_part(void)
{
    for (uint32_t page = 0; page < SLOTS; page++) {
        const uint32_t address = (uint32_t)((uintptr_t)array + page * PAGE);

        if (nrf.erase_page == address)
            nrf_parts[page] = NRF_PARTS;
        else if (nrf.erase_page_partial == address)
            nrf_parts[page]++;
        else
            continue;
        assert_int_equal(nrf.erase_page_partial_config, nrf_port.place.part);
        nrf.erase_page = nrf.erase_page_partial = 0;
        if (nrf_parts[page] == NRF_PARTS) {
            memset(array + page * PAGE, 0xff, PAGE);
            nrf_parts[page] = 0;
        }
    }
}

static bool every_third(void *user, uint32_t microseconds)
{
    (void)user;
    assert_true(microseconds == 41 || microseconds == NRF_PART * 1000);
    nrf_allowed += nrf_asked % 3 == 0;
    return nrf_asked++ % 3 == 0;
}

static void nrf_start(uint32_t part)
{
    const struct habit_nrf52_place place = {
        .address = array, .page_size = PAGE, .slot_size = PAGE, .slots = SLOTS, .part = part, .parts = NRF_PARTS
    };

    memset(&nrf, 0, sizeof(nrf));
    nrf.ready = 1;
    assert_true(habit_flash_nrf52_init(&nrf_port, &nrf, &place));
}

static void test_nrf52_in_parts_between_radio_events(void **state)
{
    (void)state;
    nrf_start(NRF_PART);
    nrf_port.may_stall = every_third;
    save_and_load(&nrf_port.flash, nrf_part);
    assert_int_equal(nrf_allowed, 5 * (NRF_PARTS + (BLOCK + HEADERS) / 4));
    assert_int_equal(nrf.config, 0); /* read only */
}

static void test_nrf52_at_once(void **state)
{
    (void)state;
    nrf_start(0);
    save_and_load(&nrf_port.flash, nrf_part);
}

static void test_nrf52_refuses_what_it_cannot_do(void **state)
{
    struct habit_nrf52_place place = { .address = array + 4, .page_size = PAGE };

    (void)state;
    assert_false(habit_flash_nrf52_init(&nrf_port, &nrf, &place));
    place = (struct habit_nrf52_place){ .address = array, .page_size = PAGE, .part = 128, .parts = 1 };
    assert_false(habit_flash_nrf52_init(&nrf_port, &nrf, &place));
    place.part = 10;
    place.parts = 0;
    assert_false(habit_flash_nrf52_init(&nrf_port, &nrf, &place));
    place.parts = 8; /* 80 ms: a page that is half erased reads well for a while */
    assert_false(habit_flash_nrf52_init(&nrf_port, &nrf, &place));
    place.parts = 9;
    assert_true(habit_flash_nrf52_init(&nrf_port, &nrf, &place));
    nrf_start(0);
    nrf.ready = 0;
    assert_int_equal(nrf_port.flash.start_erase(&nrf_port, 0), HABIT_FLASH_LATER);
    assert_int_equal(nrf_port.flash.poll(&nrf_port), HABIT_FLASH_BUSY);
}

/* -------------------------------------------------------------------------------------------------------------- SoftDevice */

static struct habit_flash_softdevice soft_port;
static uint32_t soft_result, soft_calls;
static bool soft_pending, soft_fails;

static uint32_t soft_erase(uint32_t page_number)
{
    if (++soft_calls % 4 == 0)
        return 17; /* NRF_ERROR_BUSY */
    /* a host's page numbers do not fit into 32 bits, their difference does */
    memset(array + (size_t)(page_number - (uint32_t)((uintptr_t)array / PAGE)) * PAGE, 0xff, PAGE);
    soft_pending = soft_result == 0;
    return soft_result;
}

static uint32_t soft_write(uint32_t *to, const uint32_t *from, uint32_t words)
{
    if (++soft_calls % 4 == 0)
        return 17;
    assert_int_equal(words, 1);
    *to &= *from;
    soft_pending = true;
    return 0;
}

static void soft_event(void)
{
    static uint32_t steps;

    if (soft_pending && ++steps % 2 == 0) {
        soft_pending = false;
        assert_true(habit_flash_softdevice_waiting(&soft_port));
        habit_flash_softdevice_event(&soft_port, !soft_fails);
    }
}

static void test_softdevice(void **state)
{
    (void)state;
    assert_true(habit_flash_softdevice_init(&soft_port, array, PAGE, SLOTS, soft_erase, soft_write));
    save_and_load(&soft_port.flash, soft_event);
}

static void test_softdevice_reports_failures(void **state)
{
    (void)state;
    assert_true(habit_flash_softdevice_init(&soft_port, array, PAGE, SLOTS, soft_erase, soft_write));
    soft_calls = 0;
    soft_result = 7;
    assert_int_equal(soft_port.flash.start_erase(&soft_port, 0), HABIT_FLASH_FAILED);
    soft_result = 0;
    assert_int_equal(soft_port.flash.start_erase(&soft_port, 0), HABIT_FLASH_BUSY);
    assert_int_equal(soft_port.flash.poll(&soft_port), HABIT_FLASH_BUSY);
    habit_flash_softdevice_event(&soft_port, false);
    assert_int_equal(soft_port.flash.poll(&soft_port), HABIT_FLASH_FAILED);
    habit_flash_softdevice_event(&soft_port, true); /* of somebody else's operation */
    assert_int_equal(soft_port.flash.poll(&soft_port), HABIT_FLASH_FAILED);
    assert_false(habit_flash_softdevice_init(&soft_port, array + 4, PAGE, SLOTS, soft_erase, soft_write));
}

/* ------------------------------------------------------------------------------------------------------------------ Zephyr */

static struct flash_area area = { .fa_size = SIZE };
static uint32_t area_align = 8;
static int area_result, area_open;

int flash_area_open(uint8_t id, const struct flash_area **fa)
{
    *fa = &area;
    area_open += id == 3;
    return id == 3 ? 0 : -2;
}

void flash_area_close(const struct flash_area *fa)
{
    area_open -= fa == &area;
}

int flash_area_read(const struct flash_area *fa, off_t off, void *dst, size_t len)
{
    (void)fa;
    memcpy(dst, array + off, len);
    return area_result;
}

int flash_area_write(const struct flash_area *fa, off_t off, const void *src, size_t len)
{
    (void)fa;
    assert_int_equal(len % area_align, 0);
    for (size_t i = 0; i < len; i++)
        array[(size_t)off + i] &= ((const uint8_t *)src)[i];
    return area_result;
}

int flash_area_erase(const struct flash_area *fa, off_t off, size_t len)
{
    (void)fa;
    memset(array + off, 0xff, len);
    return area_result;
}

uint32_t flash_area_align(const struct flash_area *fa)
{
    (void)fa;
    return area_align;
}

static void test_zephyr(void **state)
{
    struct habit_flash_zephyr port;

    (void)state;
    for (area_align = 1; area_align <= 32; area_align *= 2) {
        assert_int_equal(habit_flash_zephyr_open(&port, 3, PAGE / 2, SLOTS), 0);
        assert_int_equal(port.flash.unit_size, area_align < 4 ? 4 : area_align);
        assert_int_equal(port.flash.slot_size, PAGE);
        save_and_load(&port.flash, nothing);
        habit_flash_zephyr_close(&port);
    }
    assert_int_equal(area_open, 0);
}

static void test_zephyr_refuses_and_reports(void **state)
{
    struct habit_flash_zephyr port;
    uint32_t words[8] = { 0 };

    (void)state;
    area_align = 64;
    assert_int_equal(habit_flash_zephyr_open(&port, 3, PAGE, SLOTS), -22);
    area_align = 8;
    assert_int_equal(habit_flash_zephyr_open(&port, 4, PAGE, SLOTS), -2);
    assert_int_equal(habit_flash_zephyr_open(&port, 3, PAGE, 3), -22); /* a third of it is less than a page */
    assert_int_equal(habit_flash_zephyr_open(&port, 3, 0, SLOTS), -22);
    assert_int_equal(habit_flash_zephyr_open(&port, 3, PAGE, 0), -22);
    assert_int_equal(area_open, 0);
    assert_int_equal(habit_flash_zephyr_open(&port, 3, PAGE, SLOTS), 0);
    area_result = -16; /* EBUSY */
    assert_int_equal(port.flash.start_erase(&port, 0), HABIT_FLASH_LATER);
    area_result = -5; /* EIO */
    assert_int_equal(port.flash.start_erase(&port, 0), HABIT_FLASH_FAILED);
    assert_int_equal(port.flash.start_program(&port, 0, words), HABIT_FLASH_FAILED);
    assert_int_equal(port.flash.read(&port, 0, words, 32), HABIT_FLASH_FAILED);
    area_result = 0;
}

/* ---------------------------------------------------------------------------------------------------------------- template */

static void test_the_template_saves_nothing_and_says_so(void **state)
{
    struct habit_flash_template port;
    struct habit_engine engine;
    struct habit_save save;

    (void)state;
    habit_flash_template_init(&port, array, PAGE, SLOTS);
    assert_int_equal(habit_init(&engine, &config, &memory), HABIT_OK);
    assert_int_equal(habit_save_open(&save, &port.flash, 0), HABIT_OK);
    assert_int_equal(habit_save_load(&save, &engine, NULL), HABIT_SAVE_ENONE);
    assert_int_equal(habit_save_begin(&save, &engine, LATER), HABIT_OK);
    assert_int_equal(habit_save_finish(&save), HABIT_SAVE_EFLASH);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stm32l4),
        cmocka_unit_test(test_stm32l4_waits_for_others_reports_errors_and_faults),
        cmocka_unit_test(test_nrf52_in_parts_between_radio_events),
        cmocka_unit_test(test_nrf52_at_once),
        cmocka_unit_test(test_nrf52_refuses_what_it_cannot_do),
        cmocka_unit_test(test_softdevice),
        cmocka_unit_test(test_softdevice_reports_failures),
        cmocka_unit_test(test_zephyr),
        cmocka_unit_test(test_zephyr_refuses_and_reports),
        cmocka_unit_test(test_the_template_saves_nothing_and_says_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
