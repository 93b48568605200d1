/* The board that a test program finds when it runs as an ordinary process. */
#include "board.h"

#include <stdio.h>
#include <stdlib.h>

void board_put(const char *text)
{
    fputs(text, stdout);
}

void board_exit(int code)
{
    exit(code);
}
