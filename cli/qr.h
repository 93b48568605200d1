/* QR codes on a terminal, by libqrencode. */
#ifndef HABIT_CLI_QR_H
#define HABIT_CLI_QR_H

#include <stdio.h>

/* Prints a text as a QR code of half blocks in UTF-8, light on dark as terminals are, for a phone's camera. Says nothing where it
 * cannot be made: the text stands beside it anyway. */
void qr_print(const char *text, FILE *file);

#endif
