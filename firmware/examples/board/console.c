/* The serial line of Arm's MPS2 boards (CMSDK APB UART), at SERIAL_AT. On a chip of your own this file is yours: three lines
 * that wait until the transmitter is free and give it the next byte. */
#include "console.h"

struct uart {
    volatile uint32_t data, state, control, interrupts, divider;
};

enum { TRANSMITTER_FULL = 1, TRANSMITTER_ON = 1, LEAST_DIVIDER = 16 };

static struct uart *const uart = (struct uart *)SERIAL_AT;

void console_start(void)
{
    uart->divider = LEAST_DIVIDER;
    uart->control = TRANSMITTER_ON;
}

void console_put(const char *text)
{
    for (; *text != '\0'; text++) {
        while ((uart->state & TRANSMITTER_FULL) != 0) {
        }
        uart->data = (uint8_t)*text;
    }
}

void console_put_number(uint32_t number)
{
    char digits[11], *digit = &digits[sizeof(digits) - 1];

    *digit = '\0';
    do
        *--digit = (char)('0' + number % 10);
    while ((number /= 10) > 0);
    console_put(digit);
}

void console_put_hundredths(uint32_t number)
{
    console_put_number(number / 100);
    console_put(number % 100 < 10 ? ".0" : ".");
    console_put_number(number % 100);
}
