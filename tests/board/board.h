/* What a test program needs of an emulated board: text to the host and an exit code, by semihosting. */
#ifndef BOARD_H
#define BOARD_H

/* Writes a text that ends with a zero. */
void board_put(const char *text);

/* Ends the emulator with this exit code. */
_Noreturn void board_exit(int code);

#endif
