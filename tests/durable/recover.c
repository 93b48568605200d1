/* recover PATH: what habitd does when it starts on this store and ends again. A program of its own, so that libwatch.so can note
 * what it writes: see replay.c. Status: 0 = done, 1 = it could not. */
#include <stdio.h>

#include "check.h"

int main(int argc, char **argv)
{
    char why[WHY_SIZE] = "";
    enum finding found;

    if (argc != 2) {
        fprintf(stderr, "usage: recover PATH\n");
        return 2;
    }
    found = recover_store(argv[1], why);
    if (found != FOUND_FINE)
        fprintf(stderr, "recover: %s: %s\n", finding_words(found), why);
    return found == FOUND_FINE ? 0 : 1;
}
