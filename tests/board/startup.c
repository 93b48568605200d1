/* Start of a test program on any Cortex-M, and its door to the host: memory as C expects it, the floating-point unit on,
 * main(), and out. A fault ends the emulator with an exit code of its own, so no test hangs or passes by crashing. */
#include "board.h"

#include <stddef.h>
#include <stdint.h>

enum { SYS_WRITE0 = 0x04, SYS_EXIT_EXTENDED = 0x20, APPLICATION_EXIT = 0x20026 };
enum { FAULTED = 99 };

extern uint32_t board_data_load[], board_data[], board_data_end[], board_bss[], board_bss_end[], board_stack_top[];

int main(void);
void board_reset(void);

/* Arm's "Semihosting for AArch32 and AArch64": operation in r0, its argument in r1. */
static void ask_host(uint32_t operation, const void *argument)
{
    register uint32_t r0 __asm__("r0") = operation;
    register const void *r1 __asm__("r1") = argument;

    __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
}

void board_put(const char *text)
{
    ask_host(SYS_WRITE0, text);
}

void board_exit(int code)
{
    const uint32_t why[2] = { APPLICATION_EXIT, (uint32_t)code };

    for (;;)
        ask_host(SYS_EXIT_EXTENDED, why);
}

static void fault(void)
{
    board_put("FAULT\n");
    board_exit(FAULTED);
}

static void enable_floating_point(void)
{
#if defined(__ARM_FP)
    volatile uint32_t *const access_control = (uint32_t *)0xe000ed88u; /* CPACR: full access to CP10 and CP11 */

    *access_control |= 0xfu << 20;
    __asm__ volatile("dsb\n isb" : : : "memory");
#endif
}

void board_reset(void)
{
    enable_floating_point();
    for (size_t i = 0; &board_data[i] < board_data_end; i++)
        board_data[i] = board_data_load[i];
    for (uint32_t *word = board_bss; word < board_bss_end; word++)
        *word = 0;
    board_exit(main());
}

/* The first sixteen vectors; no test uses interrupts. */
__attribute__((section(".vectors"), used)) static void *const vectors[16] = {
    board_stack_top,     (void *)board_reset, [2] = (void *)fault, /* NMI */
    [3] = (void *)fault,                                           /* hard fault, to which all others escalate */
    [4] = (void *)fault, [5] = (void *)fault, [6] = (void *)fault, [7] = (void *)fault,
};
