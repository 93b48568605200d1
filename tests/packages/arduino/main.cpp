/* Runs a sketch on an emulated board: 100 loops that learn, 10 of the same machine, 10 of another. */
#include "Arduino.h"

extern "C" void board_put(const char *text); /* board.h is C11 */

void setup();
void loop();

SerialPort Serial;

static uint32_t seed = 1, reads;
static int amplitude = 100;

int analogRead(int pin)
{
    (void)pin;
    seed = seed * 1664525u + 1013904223u;
    return 512 + (reads++ % 16 < 8 ? amplitude : -amplitude) + (int)(seed >> 27);
}

unsigned long micros(void)
{
    static unsigned long now;

    return now += 100;
}

void SerialPort::begin(unsigned long baud)
{
    (void)baud;
}

void SerialPort::println(const char *text)
{
    board_put(text);
    board_put("\n");
}

void SerialPort::println(int value)
{
    char digits[12], *digit = &digits[11];

    *digit = 0;
    do
        *--digit = (char)('0' + value % 10);
    while ((value /= 10) > 0);
    println(digit);
}

int main()
{
    setup();
    for (int i = 0; i < 120; i++) {
        amplitude = i < 110 ? 100 : 300;
        loop();
    }
    return 0;
}
