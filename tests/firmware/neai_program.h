/* What the programs say to whoever runs them, on a board or as a process. */
#ifndef NEAI_PROGRAM_H
#define NEAI_PROGRAM_H

#include "../board/board.h"

#define PROGRAM_QUOTE(x) #x
#define PROGRAM_TEXT(x)  PROGRAM_QUOTE(x)

/* Ends the program, with the place and what does not hold. */
#define EXPECT(condition)                                                                       \
    do {                                                                                        \
        if (!(condition)) {                                                                     \
            board_put(__FILE__ ":" PROGRAM_TEXT(__LINE__) ": does not hold: " #condition "\n"); \
            board_exit(1);                                                                      \
        }                                                                                       \
    } while (0)

#endif
