/* Texts to a serial line. */
#ifndef EXAMPLE_CONSOLE_H
#define EXAMPLE_CONSOLE_H

#include <stdint.h>

void console_start(void);
void console_put(const char *text);
void console_put_number(uint32_t number);

/* In hundredths: 1234 is "12.34". */
void console_put_hundredths(uint32_t number);

#endif
